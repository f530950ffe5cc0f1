"""The models in Anthropic's form, for clients that send its header."""

import json
from typing import Any

from django.test import AsyncClient

from tests.api.anthropic.asking import error_of
from tests.each import each
from tests.fakes import FakeRunner, card, serving

VERSION = {"anthropic-version": "2023-06-01"}
CARDS = [
    card("org/one"),
    card("two", context_length=100),
    card("three"),
    card("bad", problem="It is broken."),
]


async def get(path: str, headers: dict[str, str] = VERSION) -> Any:
    with serving(FakeRunner(), cards=CARDS):
        return await AsyncClient().get(path, headers=headers)


async def ids(query: str) -> tuple[list[str], bool]:
    page = json.loads((await get(f"/v1/models{query}")).content)
    found = [model["id"] for model in page["data"]]
    assert (page["first_id"], page["last_id"]) == ((found[0], found[-1]) if found else (None, None))
    return found, page["has_more"]


async def test_a_model_is_described() -> None:
    assert json.loads((await get("/v1/models/org/one")).content) == {
        "type": "model",
        "id": "org/one",
        "display_name": "one",
        "created_at": "2023-11-14T22:13:20Z",
        "lifecycle": "active",
        "max_input_tokens": 8192,
        "max_tokens": 8192,
    }


@each(
    ("query", "found", "has_more"),
    [
        ("", ["org/one", "two", "three"], False),
        ("?limit=2&beta=true", ["org/one", "two"], True),
        ("?limit=2&after_id=two", ["three"], False),
        ("?limit=1&after_id=org/one", ["two"], True),
        ("?after_id=three", [], False),
        ("?limit=1&before_id=three", ["two"], True),
        ("?before_id=org/one", [], False),
        ("?after_id=org/one&before_id=three", ["two"], False),
    ],
)
async def test_the_list_comes_in_pages(query: str, found: list[str], has_more: bool) -> None:
    assert await ids(query) == (found, has_more)


@each(
    ("path", "status", "kind"),
    [
        ("/v1/models?limit=0", 400, "invalid_request_error"),
        ("/v1/models?limit=1001", 400, "invalid_request_error"),
        ("/v1/models?limit=x", 400, "invalid_request_error"),
        (f"/v1/models?limit={'9' * 5000}", 400, "invalid_request_error"),
        ("/v1/models?after_id=x", 404, "not_found_error"),
        ("/v1/models/x", 404, "not_found_error"),
        ("/v1/x", 404, "not_found_error"),
    ],
)
async def test_an_error_is_in_anthropics_form(path: str, status: int, kind: str) -> None:
    response = await get(path)
    assert (response.status_code, error_of(response)["type"]) == (status, kind)


async def test_without_the_header_the_list_is_openais() -> None:
    assert json.loads((await get("/v1/models", {})).content)["object"] == "list"
    assert json.loads((await get("/v1/models/two", {})).content)["object"] == "model"
