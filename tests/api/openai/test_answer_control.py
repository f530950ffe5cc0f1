"""POST /v1/chat/completions/control: the end of reasoning while an answer goes on."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from inference.core.config import Config
from tests.accounts.making import make_key
from tests.api.openai.asking import chat_body, error_of, post
from tests.fakes import FakeRunner, serving
from tests.thinking_runner import ThinkingRunner

pytestmark = pytest.mark.django_db(transaction=True)
HI: Any = [{"role": "user", "content": "Hi"}]
MESSAGE = {"model": "tiny", "messages": HI, "max_tokens": 99, "stream": True}
DIALECTS: dict[str, tuple[str, dict[str, Any], str]] = {
    "chat": ("/v1/chat/completions", chat_body(stream=True), "chatcmpl-"),
    "responses": ("/v1/responses", {"model": "tiny", "input": "Hi", "stream": True}, "resp_"),
    "messages": ("/v1/messages", MESSAGE, "msg_"),
}


async def control(answer_id: str, action: str = "reasoning_end", **extra: Any) -> Any:
    return await post("/v1/chat/completions/control", {"id": answer_id, "action": action}, **extra)


async def started(
    path: str, body: dict[str, Any], prefix: str, **extra: Any
) -> tuple[str, AsyncIterator[bytes]]:
    """The id of an answer that has begun to reason, and the rest of its stream."""
    response = await post(path, body, **extra)
    parts = aiter(response.streaming_content)
    text = ""
    while "hm " not in text:
        text += (await anext(parts)).decode()
    return prefix + text.split(f'"{prefix}', 1)[1].split('"', 1)[0], parts


async def rest(parts: AsyncIterator[bytes]) -> str:
    return b"".join([part async for part in parts]).decode()


async def chat(**extra: Any) -> tuple[str, AsyncIterator[bytes]]:
    return await started(*DIALECTS["chat"], **extra)


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_reasoning_is_ended_by_the_id_of_the_answer(dialect: str) -> None:
    with serving(ThinkingRunner()):
        answer_id, parts = await started(*DIALECTS[dialect])
        response = await control(answer_id)
        text = await rest(parts)
    assert (response.status_code, json.loads(response.content)) == (
        200,
        {"id": answer_id, "action": "reasoning_end", "success": True, "message": None},
    )
    assert '"42"' in text


async def test_a_response_in_the_background_is_ended_too() -> None:
    with serving(ThinkingRunner()):
        path, body, prefix = DIALECTS["responses"]
        answer_id, parts = await started(path, body | {"background": True}, prefix)
        assert json.loads((await control(answer_id)).content)["success"]
        assert '"42"' in await rest(parts)


async def test_an_answer_that_is_not_reasoning_has_a_message() -> None:
    hold = asyncio.Event()
    with serving(ThinkingRunner(hold=hold)):
        answer_id, parts = await chat()
        await control(answer_id)
        while b'"42"' not in await anext(parts):  # 42 alone may be in the id
            continue
        answer = json.loads((await control(answer_id)).content)
        hold.set()
        await rest(parts)
    assert not answer["success"] and "not reasoning" in answer["message"]


async def test_a_request_that_waits_for_its_model_is_not_reasoning() -> None:
    gate = asyncio.Event()
    with serving(FakeRunner(load_gate=gate)):
        path, body, prefix = DIALECTS["responses"]
        response = await post(path, body | {"background": True, "stream": False})
        answer_id = json.loads(response.content)["id"]
        assert answer_id.startswith(prefix)
        assert json.loads((await control(answer_id)).content)["success"] is False
        gate.set()
        await asyncio.sleep(0.05)


async def test_what_has_ended_and_what_never_was_is_not_found() -> None:
    with serving(ThinkingRunner()):
        answer_id, parts = await chat()
        await control(answer_id)
        await rest(parts)
        for unknown in (answer_id, "chatcmpl-1", "resp_1", "tiny"):
            response = await control(unknown)
            assert (response.status_code, error_of(response)["param"]) == (404, "id")


async def test_the_answer_of_another_key_is_not_found(settings: Any) -> None:
    settings.CONFIG = Config(api_key="sesame")
    keys = [(await sync_to_async(make_key)(name=name))[1] for name in ("one", "two")]
    headers = [{"Authorization": f"Bearer {key}"} for key in (*keys, "sesame")]
    mine, theirs, operators = headers
    with serving(ThinkingRunner()):
        answer_id, parts = await chat(headers=mine)
        for others in (theirs, operators):
            assert (await control(answer_id, headers=others)).status_code == 404
        assert json.loads((await control(answer_id, headers=mine)).content)["success"]
        await rest(parts)


async def test_a_key_that_may_not_chat_controls_nothing(settings: Any) -> None:
    settings.CONFIG = Config(api_key="sesame")
    _, secret = await sync_to_async(make_key)(can_chat=False, can_manage=True)
    response = await control("chatcmpl-1", headers={"Authorization": f"Bearer {secret}"})
    assert response.status_code == 403


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"id": "chatcmpl-1"}, "action"),
        ({"action": "reasoning_end"}, "id"),
        ({"id": "chatcmpl-1", "action": "stop"}, "action"),
        ({"id": "", "action": "reasoning_end"}, "id"),
        ({"id": 7, "action": "reasoning_end"}, "id"),
        ({"id": "x" * 300, "action": "reasoning_end"}, "id"),
    ],
)
async def test_what_is_wrong_is_named(body: dict[str, Any], param: str) -> None:
    response = await post("/v1/chat/completions/control", body)
    assert (response.status_code, error_of(response)["param"]) == (400, param)


async def test_the_model_is_noted() -> None:
    with serving(ThinkingRunner()):
        answer_id, parts = await chat()
        body = {"id": answer_id, "action": "reasoning_end", "model": "tiny"}
        response = await post("/v1/chat/completions/control", body)
        await rest(parts)
    assert (response.status_code, response["x-mlx-noted"]) == (200, "model")
