"""The admin's pages about API keys."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from inference.core import key_secret
from inference.models.api_key import ApiKey, KeyDay
from inference.models.usage_limits import today
from tests.accounts.making import make_key
from tests.people import client_of, signed_in

pytestmark = pytest.mark.django_db
LIST, ADD = reverse("admin:inference_apikey_changelist"), reverse("admin:inference_apikey_add")


def form(**fields: Any) -> dict[str, Any]:
    return {"name": "laptop", "owner": User.objects.earliest("pk").pk, "can_chat": "on"} | fields


def page_of(key: ApiKey) -> str:
    return reverse("admin:inference_apikey_change", args=[key.pk])


def shown(page: str) -> str:
    """The secret on this page; empty when there is none."""
    found = re.search(r"<code data-secret>(.+)</code>", page)
    return found[1] if found else ""


def test_a_new_key_is_shown_once_and_stored_nowhere(staff: Client) -> None:
    made = staff.post(ADD, form(), follow=True)
    found = shown(made.content.decode())
    assert "no-store" in made["Cache-Control"]
    key = ApiKey.objects.get()
    assert key_secret.is_right(found, key.digest) and key.scopes == ("chat",)
    later = staff.get(page_of(key)).content.decode() + staff.get(LIST).content.decode()
    assert found not in later + str(staff.cookies) + str(dict(staff.session)) and key.prefix in later


def test_loading_the_page_of_a_new_key_again_neither_shows_it_nor_makes_another(staff: Client) -> None:
    made = staff.post(ADD, form(), follow=True)
    (address, status), *_ = made.redirect_chain
    again = staff.get(address).content.decode()
    assert status == 302 and "This key was already shown" in again and not shown(again)
    assert f'renew it in the <a href="{LIST}"' in again and ApiKey.objects.count() == 1


def test_a_new_key_is_shown_to_the_user_who_made_it_alone(staff: Client) -> None:
    address = staff.post(ADD, form()).headers["Location"]
    other = client_of("ann", "add_apikey")
    assert not shown(other.get(address).content.decode())
    assert client_of("bob", "view_apikey").get(address).status_code == 403
    assert shown(staff.get(address).content.decode())


def test_a_wrong_form_makes_no_key(staff: Client) -> None:
    page = staff.post(ADD, form(requests_per_minute="0")).content.decode()
    assert "greater than or equal to 1" in page and not ApiKey.objects.exists()


def test_a_new_key_ends_in_the_future(staff: Client) -> None:
    page = staff.post(ADD, form(expires_at="2020-01-31T10:00")).content.decode()
    assert "Enter a future time" in page and not ApiKey.objects.exists()


def test_a_key_that_has_expired_can_still_be_changed(staff: Client) -> None:
    key, _ = make_key(expires_at=datetime(2020, 1, 31, tzinfo=UTC))
    saved = staff.post(page_of(key), form(name="old", expires_at="2020-01-31T00:00:00"))
    key.refresh_from_db()
    assert (saved.status_code, key.name, key.state) == (302, "old", "expired")


def test_an_end_is_not_moved_into_the_past(staff: Client) -> None:
    key, _ = make_key(expires_at=datetime(2099, 1, 31, tzinfo=UTC))
    page = staff.post(page_of(key), form(expires_at="2020-01-31T00:00:00"))
    assert "To end a key now, revoke it" in page.content.decode()


def test_a_key_without_a_scope_is_not_made(staff: Client) -> None:
    fields = {name: value for name, value in form().items() if name != "can_chat"}
    assert "at least one scope" in staff.post(ADD, fields).content.decode()
    assert not ApiKey.objects.exists()


def test_two_keys_of_an_owner_have_two_names_unless_one_is_revoked(staff: Client) -> None:
    owner = User.objects.get()
    key, _ = make_key(owner=owner)
    make_key()  # somebody else's
    assert "already has a key with this name" in staff.post(ADD, form()).content.decode()
    assert staff.post(page_of(key), form()).status_code == 302  # it may keep its own
    key.revoke()
    assert staff.post(ADD, form()).status_code == 302
    assert owner.api_keys.count() == 2


def test_the_list_names_the_state_of_each_key(staff: Client) -> None:
    make_key(name="a", is_revoked=True)
    make_key(name="b", expires_at=datetime(2020, 1, 31, tzinfo=UTC))
    make_key(name="c", expires_at=datetime(2099, 1, 31, tzinfo=UTC))
    cells = re.findall(r'<td [^>]*class="field-status">(.+?)</td>', staff.get(LIST).content.decode())
    states = [re.sub("<.+?>", "", cell) for cell in cells]
    assert states == ["revoked", "expired since 2020-01-31 00:00 UTC", "good until 2099-01-31 00:00 UTC"]


def test_the_page_of_a_revoked_key_names_the_state_without_a_tick(staff: Client) -> None:
    key, _ = make_key(is_revoked=True)
    page = staff.get(page_of(key)).content.decode()
    assert '<div class="readonly">revoked</div>' in page and "icon-yes" not in page


def test_keys_are_revoked_by_an_action(staff: Client) -> None:
    key, _ = make_key()
    page = staff.post(LIST, {"action": "revoke", "_selected_action": [key.pk]}, follow=True)
    key.refresh_from_db()
    assert key.is_revoked and "Revoked laptop: it is rejected from now on" in page.content.decode()


def test_a_revocation_cannot_be_undone(staff: Client) -> None:
    key, _ = make_key(is_revoked=True)
    staff.post(page_of(key), form())
    key.refresh_from_db()
    assert key.is_revoked


def test_only_a_user_that_may_manage_gives_that_scope() -> None:
    person = User.objects.create_user("ann", is_staff=True)
    person.user_permissions.set(Permission.objects.filter(codename__in=["add_apikey", "view_user"]))
    signed_in(person).post(ADD, form(can_manage="on"))
    assert ApiKey.objects.get().scopes == ("chat",)
    person.user_permissions.add(Permission.objects.get(codename="run_servedmodel"))
    signed_in(person).post(ADD, form(name="desk", can_manage="on"))
    assert ApiKey.objects.latest("pk").scopes == ("chat", "manage")


@pytest.mark.parametrize(("right", "scopes"), [("view_user", ()), ("view_servedmodel", ("metrics",))])
def test_only_a_user_that_may_look_gives_the_scope_metrics(right: str, scopes: tuple[str, ...]) -> None:
    person = User.objects.create_user("ann", is_staff=True)
    rights = ["add_apikey", "view_user", right]
    person.user_permissions.set(Permission.objects.filter(codename__in=rights))
    signed_in(person).post(ADD, form(can_read_metrics="on"))
    assert ApiKey.objects.get().scopes == ("chat", *scopes)


def test_use_is_a_bar_for_each_day(staff: Client) -> None:
    key, _ = make_key()
    assert "Not used in the last 30 days" in staff.get(page_of(key)).content.decode()
    KeyDay.objects.create(key=key, day=today().date(), prompt_tokens=1000, completion_tokens=234, requests=2)
    page = staff.get(page_of(key)).content.decode()
    assert (
        "1,234 tokens in 2 requests" in page
        and "Rejected requests are included" in page
        and page.count("<rect") == 30
    )
    assert "style=" not in page[page.index("<svg width") : page.index("</svg>", page.index("<svg width"))]
    assert 'height="120"' in page


def test_members_see_no_keys() -> None:
    make_key()
    assert signed_in(User.objects.get()).get(LIST).status_code == 302


def test_a_rows_button_revokes_a_key_after_a_question(staff: Client) -> None:
    key, _ = make_key(name="laptop")
    act = reverse("admin:inference_apikey_act")
    assert f'formaction="{act}" name="act" value="revoke {key.pk}"' in staff.get(LIST).content.decode()
    assert staff.post(act, {"act": "revoke ²"}).status_code == 302
    asked = staff.post(act, {"act": f"revoke {key.pk}"}).content.decode()
    assert "<h1>Revoke laptop?</h1>" in asked and not ApiKey.objects.get().is_revoked
    done = staff.post(act, {"act": f"revoke {key.pk}", "confirmed": "yes"}, follow=True)
    assert "Revoked laptop" in done.content.decode() and ApiKey.objects.get().is_revoked
    assert 'name="act"' not in staff.get(LIST).content.decode()


def test_a_rows_button_is_for_those_who_may_change_keys(staff: Client) -> None:
    key, _ = make_key(name="laptop")
    viewer = client_of("bob", "view_apikey")
    assert 'name="act"' not in viewer.get(LIST).content.decode()
    answer = viewer.post(
        reverse("admin:inference_apikey_act"), {"act": f"revoke {key.pk}", "confirmed": "yes"}
    )
    assert answer.status_code == 403 and not ApiKey.objects.get().is_revoked
    for wrong in ("revoke x", "revoke 9999", ""):
        assert staff.post(reverse("admin:inference_apikey_act"), {"act": wrong}).status_code == 302
