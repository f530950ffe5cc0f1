"""The admin's site: one product with the playground, down to signing in and out."""

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.test import Client

from mlxsite.admin_site import ConsoleSite
from tests.people import client_of

pytestmark = pytest.mark.django_db


def test_django_uses_it() -> None:
    assert isinstance(admin.site._wrapped, ConsoleSite)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("/admin/inference/", "/admin/"),
        ("/admin/password_change/", "/password/"),
        ("/admin/password_change/done/", "/password/changed/"),
    ],
)
def test_pages_that_the_site_has_elsewhere_lead_there(staff: Client, path: str, target: str) -> None:
    assert staff.get(path).headers["Location"] == target


def test_signing_out_leads_to_the_playground(staff: Client) -> None:
    assert staff.post("/admin/logout/").headers["Location"] == "/"
    assert staff.get("/admin/").headers["Location"].startswith("/admin/login/")


def test_the_admins_sign_in_says_why_and_looks_like_the_sites() -> None:
    User.objects.create_user("ann", password="ann and her cat")
    browser = Client(headers={"host": "127.0.0.1"})
    page = browser.get("/admin/login/?next=/admin/auth/user/").content.decode()
    assert 'class="notice"' in page and 'value="/admin/auth/user/"' in page
    refused = browser.post("/admin/login/", {"username": "ann", "password": "ann and her cat"})
    assert "staff account" in refused.content.decode()
    member = client_of("ben", is_staff=False)
    assert (
        "ben, which is not authorized to access this page"
        in member.get("/admin/", follow=True).content.decode()
    )


@pytest.mark.parametrize(
    "path",
    [
        "inference/requestrecord/?key={}",
        "inference/apikey/?owner={}",
        "inference/capture/?began_by={}",
        "inference/servedmodel/?id__in={}",
        "inference/upstream/?id__range={},{}",
        "auth/group/?user={}",
        "auth/user/{}/change/",
    ],
)
def test_a_number_that_no_row_can_have_is_no_failure(staff: Client, path: str) -> None:
    for number in ("9" * 20, f"-{'9' * 20}"):
        assert staff.get(f"/admin/{path.format(number, number)}").status_code in {302, 404}


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("inference/apikey/", {"action": "revoke", "_selected_action": "9" * 20}),
        ("auth/user/", {"action": "delete_selected", "_selected_action": "9" * 20}),
        ("inference/capture/", {"action": "stop", "_selected_action": "9" * 20}),
        ("inference/apikey/add/", {"name": "x", "owner": "9" * 20}),
    ],
)
def test_neither_is_one_that_a_form_sends(staff: Client, path: str, fields: dict[str, str]) -> None:
    assert staff.post(f"/admin/{path}", fields).status_code == 404
