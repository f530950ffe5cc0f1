"""The admin's pages about API keys."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from inference.keys import secret
from inference.keys.models import ApiKey, KeyDay, today
from tests.keys.making import make_key
from tests.people import signed_in

pytestmark = pytest.mark.django_db
LIST, ADD = reverse("admin:inference_apikey_changelist"), reverse("admin:inference_apikey_add")


def form(**fields: Any) -> dict[str, Any]:
    return {"name": "laptop", "owner": User.objects.earliest("pk").pk, "can_chat": "on"} | fields


def page_of(key: ApiKey) -> str:
    return reverse("admin:inference_apikey_change", args=[key.pk])


def test_a_new_key_is_shown_once_and_stored_nowhere(staff: Client) -> None:
    made = staff.post(ADD, form())
    found = re.search(r"<code data-secret>(.+)</code>", made.content.decode())
    assert found and "no-store" in made["Cache-Control"]
    key = ApiKey.objects.get()
    assert secret.is_right(found[1], key.digest) and key.scopes == ("chat",)
    later = staff.get(page_of(key)).content.decode() + staff.get(LIST).content.decode()
    assert found[1] not in later + str(staff.cookies) and key.prefix in later


def test_a_wrong_form_makes_no_key(staff: Client) -> None:
    page = staff.post(ADD, form(requests_per_minute="0")).content.decode()
    assert "greater than or equal to 1" in page and not ApiKey.objects.exists()


def test_a_new_key_ends_in_the_future(staff: Client) -> None:
    page = staff.post(ADD, form(expires_at_0="2020-01-31", expires_at_1="10:00")).content.decode()
    assert "Give a time ahead" in page and not ApiKey.objects.exists()


def test_a_key_that_has_expired_can_still_be_changed(staff: Client) -> None:
    key, _ = make_key(expires_at=datetime(2020, 1, 31, tzinfo=UTC))
    saved = staff.post(page_of(key), form(name="old", expires_at_0="2020-01-31", expires_at_1="00:00:00"))
    key.refresh_from_db()
    assert (saved.status_code, key.name, key.state) == (302, "old", "expired")


def test_keys_are_revoked_by_an_action(staff: Client) -> None:
    key, _ = make_key()
    page = staff.post(LIST, {"action": "revoke", "_selected_action": [key.pk]}, follow=True)
    key.refresh_from_db()
    assert key.is_revoked and "opens nothing from now on" in page.content.decode()


def test_a_revocation_cannot_be_undone(staff: Client) -> None:
    key, _ = make_key(is_revoked=True)
    staff.post(page_of(key), form())
    key.refresh_from_db()
    assert key.is_revoked


def test_only_who_may_manage_gives_that_scope() -> None:
    person = User.objects.create_user("ann", is_staff=True)
    person.user_permissions.set(Permission.objects.filter(codename__in=["add_apikey", "view_user"]))
    signed_in(person).post(ADD, form(can_manage="on"))
    assert ApiKey.objects.get().scopes == ("chat",)
    person.user_permissions.add(Permission.objects.get(codename="run_servedmodel"))
    signed_in(person).post(ADD, form(can_manage="on"))
    assert ApiKey.objects.latest("pk").scopes == ("chat", "manage")


def test_use_is_a_bar_for_each_day(staff: Client) -> None:
    key, _ = make_key()
    assert "not used in the last 30 days" in staff.get(page_of(key)).content.decode()
    KeyDay.objects.create(key=key, day=today().date(), prompt_tokens=1000, completion_tokens=234, requests=2)
    page = staff.get(page_of(key)).content.decode()
    assert "1,234 tokens in 2 requests" in page and page.count("<rect") == 30
    assert "style=" not in page[page.index("<svg width") : page.index("</svg>", page.index("<svg width"))]
    assert 'height="120"' in page


def test_members_see_no_keys() -> None:
    make_key()
    assert signed_in(User.objects.get()).get(LIST).status_code == 302
