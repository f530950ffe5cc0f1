"""The pages of an account's own API keys, as its owner uses them."""

import re

import pytest
from django.contrib.auth.models import User
from django.test import Client

from inference.models.api_key import ApiKey
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
