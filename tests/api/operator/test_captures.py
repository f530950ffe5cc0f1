"""Captures over /api; what they do is tests/serving/test_captures.py."""

import json
from typing import Any

import pytest
from django.test import Client

from inference.api.operator import token
from inference.models.request_record import Capture
from tests.api.openai.asking import error_of
from tests.people import client_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("captures_end")]


def post(client: Client, path: str = "", **body: Any) -> Any:
    return client.post(f"/api/captures{path}", json.dumps(body), content_type="application/json")


def test_one_is_started_listed_and_stopped() -> None:
    ann = client_of("ann", "view_capture", "add_capture", "change_capture")
    made = post(ann, reason="a bug", hours=2).json()
    assert (made["is_active"], made["began_by"]) == (True, "ann")
    assert ann.get("/api/captures").json()["captures"] == [made]
    assert not post(ann, "/stop", id=made["id"]).json()["is_active"]
    assert post(ann, "/delete-text", id=made["id"]).json()["requests"] == 0
    assert post(ann, "/stop", id=made["id"] + 1).status_code == 404


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "reason"),
        ({"reason": ""}, "reason"),
        ({"reason": "x" * 201}, "reason"),
        ({"reason": "x", "hours": 0}, "hours"),
        ({"reason": "x", "hours": 169}, "hours"),
        ({"reason": "x", "until": "tomorrow"}, "until"),
    ],
)
def test_what_cannot_be_is_refused_by_its_field(body: dict[str, Any], param: str) -> None:
    refused = post(client_of("ann", "add_capture"), **body)
    assert (refused.status_code, error_of(refused)["param"]) == (400, param)
    assert not Capture.objects.exists()


@pytest.mark.parametrize(
    ("rights", "statuses"),
    [
        (("view_capture",), (200, 403, 403)),
        (("add_capture",), (403, 200, 403)),
        (("change_capture",), (403, 403, 404)),
        (("view_requestrecord",), (403, 403, 403)),
    ],
)
def test_each_needs_the_permission_of_its_page(rights: tuple[str, ...], statuses: tuple[int, ...]) -> None:
    ann = client_of("ann", *rights)
    looked, made, stopped = ann.get("/api/captures"), post(ann, reason="x"), post(ann, "/stop", id=99)
    assert (looked.status_code, made.status_code, stopped.status_code) == statuses


def test_the_operator_may_and_a_stranger_may_not() -> None:
    operator = Client(headers={"authorization": f"Bearer {token.make()}"})
    assert post(operator, reason="a bug").json()["began_by"] == ""
    assert post(Client(), reason="a bug").status_code == 403
