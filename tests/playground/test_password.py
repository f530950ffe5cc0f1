"""Whoever has an account changes its password from the playground."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from playwright.async_api import expect

from tests.nightly import nightly
from tests.people import signed_in
from tests.playground.site import visiting
from tests.playground.test_accessible import VIEWS, complaints

OLD, NEW = "love and logic", "analytical engine no. 2"


@pytest.fixture
def ada(db: None) -> User:
    return User.objects.create_user("ada", password=OLD)


def change(client: Client, old: str = OLD, new: str = NEW, again: str = "") -> str:
    """The page that comes of it."""
    form = {"old_password": old, "new_password1": new, "new_password2": again or new}
    return client.post("/password/", form, follow=True).content.decode()


@nightly
def test_the_new_one_holds_this_session_stays_and_others_end(ada: User) -> None:
    here, elsewhere = signed_in(ada), signed_in(ada)
    assert "Your password is changed" in change(here)
    ada.refresh_from_db()
    assert ada.check_password(NEW)
    assert here.get("/password/").status_code == 200
    assert elsewhere.get("/password/").headers["Location"] == "/login/?next=/password/"


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ({"old": "a guess"}, "Your old password was entered incorrectly."),
        ({"again": "something else"}, "The two password fields didn’t match."),
        ({"new": "sonnet"}, "It must contain at least 8 characters."),
        ({"new": "password1"}, "This password is too common."),
        ({"new": "19385720194"}, "This password is entirely numeric."),
    ],
)
def test_what_is_wrong_with_it_is_reported_and_nothing_changes(
    ada: User, form: dict[str, str], message: str
) -> None:
    page = change(signed_in(ada), **form)
    assert message in page.replace("&#x27;", "'") and "Change your password" in page
    ada.refresh_from_db()
    assert ada.check_password(OLD)


def test_an_anonymous_visitor_signs_in_first(client: Client) -> None:
    for page in ("/password/", "/password/changed/"):
        assert client.get(page).headers["Location"] == f"/login/?next={page}"


@nightly
@pytest.mark.browser
async def test_the_account_menu_leads_there_and_back(address: str) -> None:
    async with visiting(address) as visit:
        await expect(visit.page.get_by_label("Your account")).to_have_count(0)  # nobody is signed in
        await visit.sign_in("erin")
        await visit.page.get_by_role("button", name="Your account").click()
        await visit.page.get_by_role("link", name="Change password").click()
        await visit.page.get_by_label("Old password").fill("erin and her cat")
        await visit.page.get_by_label("New password", exact=True).fill(NEW)
        await visit.page.get_by_label("New password confirmation").fill(NEW)
        await visit.page.get_by_role("button", name="Change password").click()
        await visit.page.get_by_role("link", name="Go to the playground").click()
        await visit.page.get_by_role("button", name="Your account").click()
        await visit.page.get_by_role("button", name="Sign out").click()
        await expect(visit.page.get_by_label("Your account")).to_have_count(0)
        await visit.sign_in("erin", NEW)
        assert (visit.complaints, visit.elsewhere) == ([], [])


@nightly
@pytest.mark.browser
@pytest.mark.parametrize("view", VIEWS)
async def test_the_menu_and_the_page_are_accessible(address: str, view: dict[str, object]) -> None:
    async with visiting(address, reduced_motion="reduce", **view) as visit:
        await visit.sign_in("ann")
        await visit.page.get_by_role("button", name="Your account").click()
        assert await complaints(visit.page) == []
        await visit.page.get_by_role("link", name="Change password").click()
        for field in await visit.page.get_by_label("password").all():
            await field.fill("password1")
        await visit.page.get_by_role("button", name="Change password").click()
        await expect(visit.page.get_by_text("This password is too common.")).to_be_visible()
        assert await complaints(visit.page) == []


@nightly
@pytest.mark.browser
@pytest.mark.parametrize("width", [390, 1280])
async def test_staff_reach_the_admin_at_every_width(address: str, width: int) -> None:
    async with visiting(address, viewport={"width": width, "height": 800}) as visit:
        await visit.sign_in("clara")
        if width < 640:
            await visit.page.get_by_role("button", name="Your account").click()
        await visit.page.get_by_role("link", name="Admin").click()
        await expect(visit.page).to_have_url(f"{address}admin/")
