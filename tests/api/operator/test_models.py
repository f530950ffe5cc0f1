"""The actions over HTTP; what they do is tests/serving/test_control.py."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.admin.models import LogEntry
from django.test import AsyncClient, Client

from inference.models import ServedModel
from inference.pool import Pool
from tests.api.openai.asking import error_of
from tests.api.operator.asking import ACTIONS, act
from tests.fakes import GB, FakeRunner, card, serving
from tests.people import client_of
from tests.tiny import make_tiny_model

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
async def pool() -> AsyncIterator[Pool]:
    with serving(FakeRunner(load_gate=asyncio.Event())) as pool:
        yield pool
        await pool.close()


async def test_loading_answers_at_once_with_the_models_place(pool: Pool) -> None:
    response = await act("load")
    answer = json.loads(response.content)
    assert (response.status_code, answer["id"], answer["state"]) == (200, "tiny", "loading")


async def test_a_preview_says_what_a_load_would_do_and_does_nothing() -> None:
    cards = [
        card("tiny", resident_bytes=4 * GB),
        card("large", resident_bytes=8 * GB),
        card("huge", resident_bytes=20 * GB),
    ]
    with serving(FakeRunner(), cards=cards) as pool:
        expected = {"tiny": (True, False), "large": (True, False), "huge": (False, False)}
        for name, facts in expected.items():
            preview = json.loads((await act("preview", {"model": name})).content)
            assert (preview["is_possible"], preview["displaces_models"]) == facts
        async with pool.lease("tiny", 1) as lease:
            async for _ in lease.progress():
                pass
        preview = json.loads((await act("preview", {"model": "large"})).content)
        assert preview["displaces_models"] and "tiny is unloaded (4.0 GB" in preview["text"]
        assert (preview["context_length"], preview["context_fits_now"], preview["context_fits_alone"]) == (
            8192,
            0,
            8192,
        )
        assert [model.id for model in pool.snapshot().models] == ["tiny"]
        await pool.close()


async def test_unloading_what_is_not_there_is_well_done(pool: Pool) -> None:
    response = await act("unload")
    assert (response.status_code, json.loads(response.content)["state"]) == (200, "unloaded")


async def test_pin_and_unpin_are_kept(pool: Pool) -> None:
    for action, is_pinned in (("pin", True), ("unpin", False)):
        assert (await act(action)).status_code == 200
        assert (await ServedModel.objects.aget(name="tiny")).is_pinned is is_pinned


@pytest.mark.parametrize("action", ACTIONS)
async def test_an_unknown_model_is_404(pool: Pool, action: str) -> None:
    response = await act(action, {"model": "../none"})
    assert (response.status_code, error_of(response)["code"]) == (404, "model_not_found")


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "model"),
        ({"model": ""}, "model"),
        ({"model": 5}, "model"),
        ({"model": "tiny", "when": 1}, "when"),
    ],
)
async def test_a_wrong_body_is_400_and_names_the_field(
    pool: Pool, action: str, body: Any, param: str
) -> None:
    response = await act(action, body)
    assert (response.status_code, error_of(response)["param"]) == (400, param)


@pytest.mark.parametrize("path", ["/api/", "/api/none", "/api/docs", "/api/openapi.json"])
async def test_other_addresses_are_404_in_the_same_shape(path: str) -> None:
    response = await AsyncClient().get(path)
    assert (response.status_code, error_of(response)["code"]) == (404, "not_found")


async def test_reading_an_action_is_405(pool: Pool) -> None:
    response = await AsyncClient().get("/api/models/load")
    assert (response.status_code, error_of(response)["code"]) == (405, "method_not_allowed")


async def test_aliases_are_replaced_and_count_at_once() -> None:
    with serving(FakeRunner(), cards=[card("tiny"), card("large")]) as pool:
        for names in (["gpt-4o", "claude-*"], ["gpt-4o"], []):
            assert (await act("aliases", {"model": "tiny", "alias_names": names})).status_code == 200
            assert (await ServedModel.objects.aget(name="tiny")).aliases == names
        assert (await act("aliases", {"model": "large", "alias_names": ["gpt-4o"]})).status_code == 200
        for names, text in ((["gpt-4o"], "already names another"), (["a", "a"], "twice"), (["*"], "'*'")):
            refused = await act("aliases", {"model": "tiny", "alias_names": names})
            assert (refused.status_code, error_of(refused)["param"]) == (400, "alias_names")
            assert text in error_of(refused)["message"]
        assert (await ServedModel.objects.aget(name="tiny")).aliases == []
        await pool.close()


async def test_unloading_now_and_reloading(pool: Pool) -> None:
    assert (await act("unload", {"model": "tiny", "now": True})).status_code == 200
    assert json.loads((await act("reload")).content)["state"] == "loading"
    refused = await act("unload", {"model": "tiny", "now": "yes"})
    assert (refused.status_code, error_of(refused)["param"]) == (400, "now")


async def test_a_test_answers_in_words(tmp_path: Path) -> None:
    await sync_to_async(make_tiny_model)(tmp_path / "tiny")
    with serving(FakeRunner(), cards=[card("tiny", path=str(tmp_path / "tiny"))]) as pool:
        report = json.loads((await act("test")).content)
        assert report["model"] == "tiny" and report["summary"] and report["findings"]
        assert (await ServedModel.objects.aget(name="tiny")).findings is not None
        missing = await act("test", {"model": "nobody"})
        assert (missing.status_code, error_of(missing)["param"]) == (404, "model")
        await pool.close()


def test_deleting_needs_its_own_permission(tmp_path: Path, settings: Any) -> None:
    settings.CONFIG = settings.CONFIG.model_copy(update={"models_dir": tmp_path})
    make_tiny_model(tmp_path / "tiny")
    with serving(FakeRunner(), cards=[card("tiny", path=str(tmp_path / "tiny"))]):
        assert delete(client_of("ann", "run_servedmodel"), "tiny").status_code == 403
        assert delete(Client(), "tiny").status_code == 403  # also on an open site
        assert (tmp_path / "tiny").exists()
        bob = client_of("bob", "remove_servedmodel")
        assert error_of(delete(bob, "nobody"))["code"] == "model_not_found"
        assert "tiny" in delete(bob, "tiny").json()["text"]
    assert not (tmp_path / "tiny").exists()
    assert LogEntry.objects.get().object_repr == "tiny"


def test_the_settings_of_a_model_that_is_gone_are_deleted() -> None:
    ServedModel.objects.create(name="gone", top_k=5)
    with serving(FakeRunner(), cards=[]):
        done = delete(client_of("bob", "remove_servedmodel"), "gone").json()
    assert done == {"model": "gone", "text": "The settings of gone are deleted."}
    assert not ServedModel.objects.exists()


def delete(client: Client, model: str) -> Any:
    body = json.dumps({"model": model})
    return client.post("/api/models/delete", body, content_type="application/json")
