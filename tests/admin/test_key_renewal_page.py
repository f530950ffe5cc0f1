"""The admin's page that renews a key."""

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse

from inference.core import key_secret
from inference.models.api_key import ApiKey
from tests.accounts.making import make_key
from tests.admin.test_key_admin import LIST, page_of, shown
from tests.people import client_of

pytestmark = pytest.mark.django_db
FORM = {"expires_at": "2127-01-31", "grace": "24"}


def renewal_of(key: ApiKey) -> str:
    return reverse("admin:inference_apikey_renew", args=[key.pk])


def test_a_key_is_renewed_from_its_row_and_its_page_and_the_secret_shown_once(staff: Client) -> None:
    key, old = make_key(expires_at=datetime.now(UTC) + timedelta(days=30))
    link = f'href="{renewal_of(key)}"'
    assert link in staff.get(LIST).content.decode() and link in staff.get(page_of(key)).content.decode()
    asked = staff.get(renewal_of(key)).content.decode()
    assert "<h1>Renew laptop?</h1>" in asked and 'type="date"' in asked
    made = staff.post(renewal_of(key), FORM, follow=True)
    page = made.content.decode()
    secret = shown(page)
    key.refresh_from_db()
    assert key_secret.is_right(secret, key.digest) and secret != old
    assert "API key renewed" in page and "The old secret works until" in page
    assert "already shown" in staff.get(made.redirect_chain[0][0]).content.decode()
    assert LogEntry.objects.latest("pk").change_message == "Renewed."
    later = staff.get(LIST).content.decode() + staff.get(page_of(key)).content.decode()
    assert "old secret until" in later and "the old secret works until" in later and secret not in later
    assert "An older secret still works" in staff.get(renewal_of(key)).content.decode()


def test_a_wrong_end_is_told_at_its_field(staff: Client) -> None:
    key, old = make_key()
    page = staff.post(renewal_of(key), FORM | {"expires_at": "2020-01-31"}).content.decode()
    assert "Enter a future day" in page and key_secret.is_right(old, ApiKey.objects.get().digest)


def test_a_key_without_grace_says_that_the_old_secret_is_over(staff: Client) -> None:
    key, _ = make_key()
    assert (
        "old secret does not work"
        in staff.post(renewal_of(key), FORM | {"grace": "0"}, follow=True).content.decode()
    )


def test_only_those_who_may_change_and_add_keys_and_use_its_scopes_renew() -> None:
    chats, _ = make_key()
    manages, _ = make_key(name="desk", can_manage=True)
    revoked, _ = make_key(name="gone", is_revoked=True)
    changer = client_of("bob", "view_apikey", "change_apikey")
    adder = client_of("carl", "view_apikey", "change_apikey", "add_apikey")
    assert changer.get(renewal_of(chats)).status_code == 403
    assert "Renew" not in changer.get(LIST).content.decode()
    assert [adder.post(renewal_of(key), FORM).status_code for key in (chats, manages, revoked)] == [
        302,
        403,
        403,
    ]
    assert adder.get(LIST).content.decode().count(">Renew<") == 1
    assert adder.get(reverse("admin:inference_apikey_renew", args=[9999])).status_code == 404
