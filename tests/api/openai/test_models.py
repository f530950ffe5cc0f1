import json
from pathlib import Path

import pytest
from django.test import AsyncClient

from tests import vision_extra
from tests.api.openai.asking import chat, error_of
from tests.fakes import GB, FakeRunner, card, serving

CARDS = [
    card(),
    card("org/name-4bit", aliases=("gpt-4o",), is_pinned=True),
    card("spoilt", problem="it has no weights"),
]


async def test_it_lists_every_model_that_can_be_served() -> None:
    with serving(FakeRunner(), cards=CARDS):
        listed = json.loads((await AsyncClient().get("/v1/models")).content)
    assert listed["object"] == "list"
    assert [model["id"] for model in listed["data"]] == ["tiny", "org/name-4bit"]
    assert [model["slug"] for model in listed["models"]] == ["tiny", "org/name-4bit"]
    assert listed["models"][0]["context_window"] == 8192


async def test_it_distinguishes_loaded_from_loadable() -> None:
    with serving(FakeRunner(), cards=CARDS):
        await chat()
        listed = json.loads((await AsyncClient().get("/v1/models")).content)
    names = ("state", "loaded", "memory_bytes", "adapter", "light")
    facts = [tuple(model[name] for name in names) for model in listed["data"]]
    assert facts == [("ready", True, GB, "fake", "green"), ("unloaded", False, 0, None, None)]


async def test_it_says_which_models_take_pictures(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    cards = [card("text"), card("seen", sees=True), card("loaded", sees=True)]
    vision_extra.install(monkeypatch, tmp_path)
    with serving(*(FakeRunner() for _ in cards), cards=cards):
        assert await inputs() == {"text": "text", "seen": "text image", "loaded": "text image"}
        await chat(model="loaded")  # whose worker could not load the tower
        assert await inputs() == {"text": "text", "seen": "text image", "loaded": "text"}
        vision_extra.uninstall(monkeypatch)
        assert await inputs() == {"text": "text", "seen": "text", "loaded": "text"}


async def inputs() -> dict[str, str]:
    """What each model takes, as both lists of the answer say."""
    listed = json.loads((await AsyncClient().get("/v1/models")).content)
    found = {one["id"]: " ".join(one["modalities"]["input"]) for one in listed["data"]}
    assert found == {one["slug"]: " ".join(one["input_modalities"]) for one in listed["models"]}
    return found


async def test_it_shows_one_model_whose_id_has_a_slash() -> None:
    with serving(FakeRunner(), cards=CARDS):
        model = json.loads((await AsyncClient().get("/v1/models/org/name-4bit")).content)
    assert model == {
        "id": "org/name-4bit",
        "object": "model",
        "created": 1_700_000_000,
        "owned_by": "org",
        "state": "unloaded",
        "loaded": False,
        "size_bytes": GB,
        "needed_bytes": GB,
        "memory_bytes": 0,
        "context_length": 8192,
        "context_limited_by": "model",
        "context_own": 8192,
        "context_fits_now": 8192,
        "context_fits_alone": 8192,
        "kind": "chat",
        "modalities": {"input": ["text"], "output": ["text"]},
        "family": "llama",
        "adapter": None,
        "light": None,
        "findings": [],
        "aliases": ["gpt-4o"],
        "pinned": True,
    }


async def test_a_model_that_is_unknown_or_spoilt_is_not_found() -> None:
    with serving(FakeRunner(), cards=CARDS):
        responses = [
            await AsyncClient().get(f"/v1/models/{name}") for name in ("none", "spoilt", "../x", "%2e%2e/x")
        ]
    assert {response.status_code for response in responses} == {404}
    assert error_of(responses[0])["code"] == "model_not_found"


WIDE = card("wide", resident_bytes=4 * GB, kv_bytes_per_token=10**6, context_length=100_000)


async def test_the_context_is_what_fits_memory_where_nothing_was_chosen() -> None:
    """In every dialect; a loaded model keeps it, though less is free beside another one."""
    with serving(FakeRunner(), cards=[WIDE]) as pool:
        for _ in range(2):
            listed = json.loads((await AsyncClient().get("/v1/models")).content)
            figures = {name: listed["data"][0][f"context_{name}"] for name in ("length", "limited_by", "own")}
            assert figures == {"length": 6000, "limited_by": "memory", "own": 100_000}
            assert listed["models"][0]["context_window"] == 6000
            anthropic = await AsyncClient().get("/v1/models/wide", headers={"anthropic-version": "1"})
            assert json.loads(anthropic.content)["max_input_tokens"] == 6000
            shown = await AsyncClient().post(
                "/ollama/api/show", {"model": "wide"}, content_type="application/json"
            )
            assert json.loads(shown.content)["model_info"]["llama.context_length"] == 6000
            async with pool.lease("wide", 1) as lease:
                _ = [one async for one in lease.progress()]
        await pool.close()
