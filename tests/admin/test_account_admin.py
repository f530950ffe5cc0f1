"""The admin's pages of users, groups and failed sign-ins."""

import re
from datetime import UTC, datetime

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth import authenticate
from django.contrib.auth.models import Group, User
from django.test import Client

from inference.accounts import sign_in_throttle
from inference.accounts.account_limits import read
from inference.core.principal import Allowance
from inference.models.sign_in import SignInAttempts
from inference.models.usage_limits import AccountDay, AccountLimits, GroupLimits
from tests.people import client_of

pytestmark = pytest.mark.django_db


def page_of(user: User) -> str:
    return f"/admin/auth/user/{user.pk}/change/"


def form_of(prefix: str, limits: AccountLimits | GroupLimits | None = None, **fields: str) -> dict[str, str]:
    """The inline form of limits, filled in."""
    management = {"TOTAL_FORMS": "1", "INITIAL_FORMS": "1" if limits else "0"}
    if limits:
        fields["id"] = str(limits.pk)
    return {f"{prefix}-{name}": value for name, value in management.items()} | {
        f"{prefix}-0-{name}": value for name, value in fields.items()
    }


def test_the_limits_of_an_account_are_edited_on_its_page(staff: Client) -> None:
    ann = User.objects.create_user("ann")
    AccountDay.objects.create(user=ann, day=datetime.now(UTC).date(), requests=2, prompt_tokens=1500)
    about = {"username": "ann", "is_active": "on", "date_joined_0": "2026-01-02", "date_joined_1": "10:00"}
    response = staff.post(page_of(ann), about | form_of("limits", concurrent_streams="2"))
    assert response.status_code == 302
    assert "1,500 tokens in 2 requests; 0 in progress" in staff.get(page_of(ann)).content.decode()
    assert read()["ann"].allowance == Allowance(streams=2)


def test_the_limits_of_each_member_are_edited_on_the_groups_page(staff: Client) -> None:
    User.objects.create_user("ann")
    member = Group.objects.get(name="member")
    form = {"name": "member"} | form_of("limits", requests_per_minute="9")
    assert staff.post(f"/admin/auth/group/{member.pk}/change/", form).status_code == 302
    assert read()["ann"].allowance == Allowance(requests_per_minute=9)


def test_a_button_makes_a_link_that_sets_the_password_once(staff: Client) -> None:
    ann = User.objects.create_user("ann", password="forgotten long ago")
    assert "Password link" in staff.get(page_of(ann)).content.decode()
    shown = staff.post(f"/admin/auth/user/{ann.pk}/password-link/")
    assert "no-store" in shown["Cache-Control"]
    assert LogEntry.objects.get().change_message == "Created a password link."
    link = re.search(r"http://127.0.0.1(/password/set/[\w/-]+/)", shown.content.decode())
    assert link
    browser = Client(headers={"host": "127.0.0.1"})
    form = browser.get(link[1], follow=True)
    new = {"new_password1": "correct horse battery", "new_password2": "correct horse battery"}
    assert browser.post(form.redirect_chain[-1][0], new).headers["Location"] == "/login/"
    assert authenticate(username="ann", password="correct horse battery") == ann
    assert "This link has expired" in Client(headers={"host": "127.0.0.1"}).get(link[1]).content.decode()


def test_nobody_takes_over_an_account_that_may_do_more(staff: Client) -> None:
    boss, ann = User.objects.get(username="admin"), User.objects.create_user("ann")
    helper = client_of("helper", "change_user", "view_user")
    stranger = client_of("stranger", "view_user")
    address = "/admin/auth/user/{}/password-link/"
    assert [helper.post(address.format(one.pk)).status_code for one in (boss, ann)] == [403, 200]
    assert stranger.post(address.format(ann.pk)).status_code == 403
    assert "Password link" not in helper.get(page_of(boss)).content.decode()
    assert staff.get(address.format(ann.pk)).headers["Location"] == page_of(ann)  # nothing by GET


def test_deleting_failed_sign_ins_lifts_their_wait(staff: Client) -> None:
    User.objects.create_user("ann")
    for name in ("ann", "nobody"):
        sign_in_throttle.admit(name, "203.0.113.7")
    page = staff.get("/admin/inference/signinattempts/").content.decode()
    assert "ann" in page and "no such account" in page and "203.0.113.7" in page
    rows = [str(row.pk) for row in SignInAttempts.objects.all()]
    form = {"action": "delete_selected", "_selected_action": rows, "post": "yes"}
    assert staff.post("/admin/inference/signinattempts/", form).status_code == 302
    assert not SignInAttempts.objects.exists()
