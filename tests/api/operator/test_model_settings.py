"""The settings of models over /api; what a model cannot have is tests/serving/test_model_settings.py."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from pydantic import SecretStr

from inference.api.operator import token
from inference.api.operator.model_settings import NewSettings
from inference.models import ServedModel
from inference.serving import model_settings
from tests.api.openai.asking import error_of
from tests.fakes import FakeRunner, card, serving
from tests.people import client_of

pytestmark = pytest.mark.django_db(transaction=True)
ADDRESS = "/api/models/settings"


@pytest.fixture(autouse=True)
def site() -> Iterator[None]:
    with serving(FakeRunner(), cards=[card("tiny", aliases=("t",)), card("small")]):
        yield


def change(client: Client | None = None, **body: Any) -> Any:
    headers = {"authorization": f"Bearer {token.make()}"}
    by = client or Client(headers=headers)
    return by.post(ADDRESS, json.dumps(body), content_type="application/json")


def test_they_are_shown_changed_and_taken_back() -> None:
    changed = change(model="t", context_cap=512, is_enabled=False, draft_model="small")
    assert changed.status_code == 200
    shown = Client().get(ADDRESS, {"model": "tiny"}).json()
    assert shown == changed.json()
    assert (shown["context_cap"], shown["is_enabled"], shown["draft_model"]) == (512, False, "small")
    assert change(model="tiny", reset=["context_cap", "is_enabled"]).json()["is_enabled"]
    assert ServedModel.objects.get(name="tiny").context_cap is None


@pytest.mark.parametrize(
    ("body", "status", "param"),
    [
        ({}, 400, "model"),
        ({"model": "nobody"}, 404, "model"),
        ({"model": "tiny", "context_cap": 3}, 400, "context_cap"),
        ({"model": "tiny", "context_cap": -3}, 400, "context_cap"),
        ({"model": "tiny", "context_cap": 2**40}, 400, "context_cap"),
        ({"model": "tiny", "kv_bits": 5}, 400, "kv_bits"),
        ({"model": "tiny", "temperature": "hot"}, 400, "temperature"),
        ({"model": "tiny", "draft_model": "tiny"}, 400, "draft_model"),
        ({"model": "tiny", "reset": ["name"]}, 400, "reset.0"),
        ({"model": "tiny", "name": "other"}, 400, "name"),
        ({"model": "tiny", "findings": []}, 400, "findings"),
    ],
)
def test_what_cannot_be_is_refused_by_its_field(body: dict[str, Any], status: int, param: str) -> None:
    response = change(**body)
    assert (response.status_code, error_of(response)["param"]) == (status, param)
    assert not ServedModel.objects.exists()


def test_every_setting_is_a_field() -> None:
    assert NewSettings.names() == {"model", "reset", *model_settings.FIELDS}
    assert Client().get(ADDRESS).json()["error"]["param"] == "model"


def test_they_need_the_permission_of_the_page(settings: Any) -> None:
    settings.CONFIG = settings.CONFIG.model_copy(update={"api_key": SecretStr("a-secret-of-the-site-12345")})
    ann, bob = client_of("ann", "view_servedmodel"), client_of("bob", "run_servedmodel")
    assert (ann.get(ADDRESS, {"model": "tiny"}).status_code, change(ann, model="tiny").status_code) == (
        *(200, 403),
    )
    assert change(bob, model="tiny", top_k=5, reset=["min_p"]).json()["top_k"] == 5
    assert LogEntry.objects.get().change_message == "Changed top_k, min_p."
    assert Client().get(ADDRESS, {"model": "tiny"}).status_code == 401
