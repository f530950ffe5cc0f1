"""The pages of an account's own API keys, as its owner uses them."""

import re

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.test import Client

from inference.core import key_secret
from inference.models.api_key import ApiKey
from tests.accounts.making import make_key
from tests.people import client_of

pytestmark = pytest.mark.django_db
FORM = {"name": "laptop", "can_chat": "on"}


@pytest.fixture
def ann() -> Client:
    return client_of("ann", "ask_servedmodel", "add_apikey", is_staff=False)


def test_a_key_is_made_shown_once_used_and_revoked(ann: Client) -> None:
    assert 'href="/keys/"' in ann.get("/").content.decode()
    made = ann.post("/keys/", FORM, follow=True)
    text = made.content.decode()
    found = re.search(r'own-key-secret">([^<]+)<', text)
    assert found and made.status_code == 200
    key = ApiKey.objects.get()
    assert found[1].startswith(key.prefix) and key.owner.username == "ann"
    assert "already shown" in ann.get(made.redirect_chain[0][0]).content.decode()
    listed = ann.get("/keys/").content.decode()
    assert "laptop" in listed and "never used" in listed and found[1] not in listed
    assert "is revoked" in ann.post(f"/keys/{key.pk}/revoke/", follow=True).content.decode()
    written = [(one.object_repr, one.change_message) for one in LogEntry.objects.order_by("pk")]
    assert written == [(str(key), "Created on the page API keys."), (str(key), "Revoked.")]
    key.refresh_from_db()
    assert key.is_revoked and "Revoke<" not in ann.get("/keys/").content.decode()


def test_a_mistake_is_told_at_its_field(ann: Client) -> None:
    response = ann.post("/keys/", {"name": ""})
    assert response.status_code == 400 and not ApiKey.objects.exists()
    assert "This field is required." in response.content.decode()


def test_others_have_no_such_page(ann: Client, client: Client) -> None:
    ann.post("/keys/", FORM)
    key = ApiKey.objects.get()
    member = client_of("beth", "ask_servedmodel", is_staff=False)
    assert 'href="/keys/"' not in member.get("/").content.decode()
    assert [member.get("/keys/").status_code, member.post("/keys/", FORM).status_code] == [403, 403]
    assert member.post(f"/keys/{key.pk}/revoke/").status_code == 404
    assert client.get("/keys/").status_code == 302
    assert ApiKey.objects.filter(is_revoked=False, owner=User.objects.get(username="ann")).count() == 1


def test_an_owner_renews_a_key(ann: Client) -> None:
    ann.post("/keys/", FORM)
    key = ApiKey.objects.get()
    address = f"/keys/{key.pk}/renew/"
    assert f'href="{address}"' in ann.get("/keys/").content.decode()
    assert "Renew laptop?" in ann.get(address).content.decode()
    wrong = ann.post(address, {"expires_at": "2020-01-31", "grace": "24"})
    assert wrong.status_code == 400 and "Enter a future day" in wrong.content.decode()
    made = ann.post(address, {"expires_at": "", "grace": "24"}, follow=True)
    text = made.content.decode()
    found = re.search(r'own-key-secret">([^<]+)<', text)
    key.refresh_from_db()
    assert found and key_secret.is_right(found[1], key.digest) and "The old secret works until" in text
    assert "already shown" in ann.get(made.redirect_chain[0][0]).content.decode()
    assert "The old secret works until" in ann.get("/keys/").content.decode()
    assert LogEntry.objects.latest("pk").change_message == "Renewed."


def test_an_owner_renews_no_key_of_others_of_operators_or_that_is_over(ann: Client) -> None:
    owner = User.objects.get(username="ann")
    manages, _ = make_key(owner=owner, name="desk", can_manage=True)
    revoked, _ = make_key(owner=owner, name="gone", is_revoked=True)
    others, _ = make_key(owner=User.objects.create_user("carl"))
    statuses = [ann.get(f"/keys/{key.pk}/renew/").status_code for key in (manages, revoked, others)]
    assert statuses == [403, 403, 404] and "/renew/" not in ann.get("/keys/").content.decode()
