"""The page that staff see where their rights end."""

import pytest
from django.contrib.auth.models import User
from django.test import Client, override_settings
from playwright.async_api import expect

from inference.core.config import Config
from tests.nightly import nightly, of_each_kind
from tests.people import client_of, signed_in
from tests.playground.site import visiting
from tests.playground.test_accessible import DARK, VIEWS, complaints

FORBIDDEN = "admin/auth/user/"


@nightly
@pytest.mark.django_db
def test_it_names_the_users_that_can_grant_the_permission_and_leads_back() -> None:
    answer = client_of("ann").get(f"/{FORBIDDEN}")
    page = answer.content.decode()
    assert answer.status_code == 403 and "css/notice.css" in page
    assert "signed in as ann" in page and "An owner of this server can give it to you" in page
    assert 'href="/admin/"' in page and 'href="/"' in page


@pytest.mark.django_db(transaction=True)
@override_settings(CONFIG=Config(api_key="secret"))
@pytest.mark.parametrize("address", ["/v1/models", "/chat/conversations/"])
def test_clients_receive_json_as_before(address: str) -> None:
    person = User.objects.create_user("ann")
    person.groups.clear()
    answer = signed_in(person).get(address)
    assert (answer.status_code, answer.headers["Content-Type"]) == (403, "application/json")
    assert answer.json()["error"]["code"] == "permission_denied"


@pytest.mark.django_db
def test_a_stranger_is_still_led_to_sign_in(client: Client) -> None:
    assert client.get(f"/{FORBIDDEN}").headers["Location"].startswith("/admin/login/")


@pytest.mark.browser
@pytest.mark.parametrize("view", of_each_kind(VIEWS, [DARK]))
async def test_it_is_a_page_like_the_others(address: str, view: dict[str, object]) -> None:
    async with visiting(address, **view) as visit:
        await visit.sign_in("clara")
        await visit.page.goto(f"{address}{FORBIDDEN}")
        await expect(visit.page.get_by_role("heading")).to_have_text("This account may not do that")
        assert await complaints(visit.page) == []
        await visit.page.get_by_role("link", name="Go to the admin").click()
        await expect(visit.page).to_have_url(f"{address}admin/")
