"""Adapters as models: in the lists of every dialect, in requests, and in what is recorded."""

import json
from typing import Any

from django.test import AsyncClient

from inference.core.model_card import LoraCard
from inference.core.requests import ChatRequest, Lora
from tests.api.openai.asking import chat, error_of
from tests.fakes import GB, FakeRunner, card, serving

PIRATE = LoraCard(
    name="pirate", path="/models/tiny/adapters/pirate", version="7", resident_bytes=GB // 4, created=5
)
BROKEN = LoraCard(
    name="broken", path="/models/tiny/adapters/broken", problem="it has no adapters.safetensors"
)
CARDS = [card(loras=(PIRATE, BROKEN), aliases=("t",)), card("other")]


async def got(path: str, **headers: str) -> Any:
    return json.loads((await AsyncClient(headers=headers).get(path)).content)


async def test_every_dialect_lists_each_adapter_behind_its_model() -> None:
    with serving(FakeRunner(), cards=CARDS):
        listed = await got("/v1/models")
        anthropic = await got("/v1/models", **{"anthropic-version": "2023-06-01"})
        tags = await got("/ollama/api/tags")
    expected = ["tiny", "tiny:pirate", "other"]
    assert [model["id"] for model in listed["data"]] == expected
    assert [model["slug"] for model in listed["models"]] == expected
    assert [model["id"] for model in anthropic["data"]] == expected
    names = ["tiny:latest", "t:latest", "tiny:pirate", "t:pirate", "other:latest"]
    assert [model["name"] for model in tags["models"]] == names
    assert [model["details"]["parent_model"] for model in tags["models"]][:3] == ["", "", "tiny:latest"]


async def test_an_adapter_is_shown_with_its_model() -> None:
    with serving(FakeRunner(), cards=CARDS):
        await chat()
        shown = await got("/v1/models/tiny:pirate")
        refused = await AsyncClient().get("/v1/models/tiny:broken")
        unknown = await AsyncClient().get("/v1/models/tiny:none")
        ollama = json.loads(
            (
                await AsyncClient().post(
                    "/ollama/api/show", {"model": "tiny:pirate"}, content_type="application/json"
                )
            ).content
        )
    facts = {
        name: shown[name] for name in ("id", "parent", "created", "loaded", "needed_bytes", "context_length")
    }
    assert facts == {
        "id": "tiny:pirate",
        "parent": "tiny",
        "created": 5,
        "loaded": True,
        "needed_bytes": GB + GB // 4,
        "context_length": 8192,
    }
    assert (refused.status_code, unknown.status_code) == (404, 404)
    assert ollama["details"]["parent_model"] == "tiny:latest"


async def test_a_request_is_computed_with_the_adapter_that_its_model_names() -> None:
    runner = FakeRunner()
    with serving(runner, cards=CARDS) as pool:
        answer = json.loads((await chat(model="tiny:pirate")).content)
        await chat(model="tiny")
        assert [model.id for model in pool.snapshot().models] == ["tiny"]
    assert answer["model"] == "tiny:pirate"
    assert [request.lora for request in runner.requests if isinstance(request, ChatRequest)] == [
        Lora(name="pirate", path=PIRATE.path, version="7"),
        None,
    ]
    assert runner.loads == ["tiny"]


async def test_a_broken_adapter_is_refused_by_name() -> None:
    with serving(FakeRunner(), cards=CARDS):
        response = await chat(model="tiny:broken")
    error = error_of(response)
    assert (response.status_code, error["code"], error["param"]) == (503, "model_load_failed", "model")
    assert error["message"] == (
        "The adapter 'broken' of 'tiny' cannot be used: it has no adapters.safetensors"
    )


async def test_an_unknown_adapter_is_404_and_names_the_others() -> None:
    with serving(FakeRunner(), cards=CARDS):
        response = await chat(model="tiny:missing")
    error = error_of(response)
    assert (response.status_code, error["code"]) == (404, "model_not_found")
    assert error["message"] == (
        "The model 'tiny' has no adapter or profile 'missing'; it has: 'pirate', 'broken'."
    )


async def test_a_model_with_adapters_is_still_the_only_one() -> None:
    """Requests without a model mean the only one there is; its adapters are none of their own."""
    with serving(FakeRunner(), cards=[card(loras=(PIRATE,))]):
        response = await AsyncClient().post("/tokenize", {"prompt": "x"}, content_type="application/json")
    assert b"is required" not in response.content
