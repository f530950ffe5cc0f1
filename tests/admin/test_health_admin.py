"""The admin's page of health."""

from datetime import UTC, datetime

import pytest
from django.test import Client
from django.urls import reverse

from inference.admin.health_admin import summary
from inference.models import PoolEvent, ServedModel
from inference.serving.health.finding import CheckResult
from inference.serving.health.report import HealthReport
from tests.people import client_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("pool")]
PAGE = reverse("admin:inference_healthcheck_changelist")


def test_what_is_wrong_comes_with_what_to_do_and_a_link(staff: Client) -> None:
    PoolEvent.objects.create(kind="died", model="tiny", text="<killed>", at=datetime.now(UTC))
    shown = staff.get(PAGE).content.decode()
    assert "&lt;killed&gt;; once in the last day" in shown
    assert "<b>Warning</b>" in shown and "/admin/inference/poolevent/?kind=died" in shown
    assert "attention." in shown


def test_models_are_told_of_in_words(staff: Client) -> None:
    finding = {"light": "amber", "about": "tools", "text": "Its template has no tools."}
    ServedModel.objects.create(name="tiny", findings=[finding])
    assert "<td>Works, without tools</td>" in staff.get(PAGE).content.decode()


def test_it_says_so_when_all_is_well() -> None:
    good, bad = CheckResult(about="a", text="b"), CheckResult(about="a", text="b", state="wrong")
    assert summary(HealthReport(state="good", results=(good,))) == "No problems found."
    assert summary(HealthReport(state="good", results=(good,), is_complete=False)) == (
        "No problems found so far."
    )
    assert summary(HealthReport(state="wrong", results=(bad, good))) == "1 problem needs attention."
    assert summary(HealthReport(state="wrong", results=(bad, bad))) == "2 problems need attention."


def test_whoever_may_view_models_may_view_it() -> None:
    assert client_of("eve", "view_servedmodel").get(PAGE).status_code == 200
    assert client_of("bob", "view_requestrecord").get(PAGE).status_code == 403
