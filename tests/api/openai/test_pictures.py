"""Pictures through OpenAI's dialects: chats, responses that are stored, conversations, tokens, captures."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import AsyncClient

from inference.core.errors import InvalidValue
from inference.core.events import TextDelta
from inference.core.requests import PICTURE, ChatRequest, Message, Picture, TokenizeRequest
from inference.models import StoredResponse
from inference.serving.recording.capture_switch import SWITCH
from inference.serving.recording.request_recorder import CapturedText
from tests import vision_extra
from tests.api.openai.asking import HELLO, chat_body, error_of, post
from tests.api.openai.responding import ENDED, SAID, telling
from tests.api.openai.test_context_management import CountingRunner
from tests.api.openai.test_schemas import chat as read_chat
from tests.fakes import FakeRunner, card, serving
from tests.pictures import data_url, png

pytestmark = pytest.mark.django_db(transaction=True)
URL = data_url(png())
RED = Picture(data=png(), media_type="image/png", width=3, height=2)
PART = {"type": "image_url", "image_url": {"url": URL}}
SHOWN = chat_body(messages=[{"role": "user", "content": [PART]}])
INPUT = {"type": "input_image", "image_url": URL, "detail": "low"}
LOW = Picture(data=png(), media_type="image/png", width=3, height=2, detail="low")
SEEN = {"role": "user", "content": [{"type": "input_text", "text": "What is it?"}, INPUT]}
CALL = {"id": "a", "type": "function", "function": {"name": "look", "arguments": "{}"}}


@pytest.fixture(autouse=True)
def extra(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    vision_extra.install(monkeypatch, tmp_path)


async def asked(path: str, body: dict[str, Any], runner: FakeRunner | None = None) -> tuple[Any, Any]:
    """The answer of a model that sees, and what it was asked last."""
    runner = runner or telling(*SAID, *ENDED)
    with serving(runner, cards=[card(sees=True)]):
        response = await post(path, {"model": "tiny"} | body)
    assert response.status_code == 200, response.content
    return json.loads(response.content), runner.requests[-1]


@pytest.mark.parametrize(
    ("detail", "read"),
    [(None, "auto"), ("auto", "auto"), ("low", "low"), ("high", "high"), ("original", "high")],
)
def test_a_picture_of_a_chat_keeps_its_place_and_detail(detail: str | None, read: str) -> None:
    shown = {"type": "image_url", "image_url": {"url": URL, "detail": detail}}
    text = {"type": "text", "text": f"Look{PICTURE}: "}
    (message,) = read_chat(messages=[{"role": "user", "content": [text, shown, PART]}]).messages
    assert message.content == f"Look: {PICTURE}{PICTURE}"
    assert [picture.detail for picture in message.pictures] == [read, "auto"]


def test_a_tool_may_return_pictures() -> None:
    messages = [
        *HELLO,
        {"role": "assistant", "tool_calls": [CALL]},
        {"role": "tool", "tool_call_id": "a", "content": [PART, {"type": "text", "text": "seen"}]},
    ]
    assert read_chat(messages=messages).messages[-1] == Message(
        role="tool", content=f"{PICTURE}seen", pictures=(RED,), tool_call_id="a"
    )


@pytest.mark.parametrize("role", ["system", "developer", "assistant"])
def test_others_show_no_pictures(role: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        read_chat(messages=[*HELLO, {"role": role, "content": [{"type": "text", "text": "x"}, PART]}])
    assert caught.value.param == "messages.1.content.1.type"


async def test_a_chat_with_pictures_reaches_the_model() -> None:
    _, request = await asked("/v1/chat/completions", SHOWN, FakeRunner())
    assert request.messages == (Message(role="user", content=PICTURE, pictures=(RED,)),)


async def test_a_text_model_refuses_them_and_names_one_that_sees() -> None:
    with serving(FakeRunner(), cards=[card(), card("eyes", sees=True)]):
        response = await post(
            "/v1/chat/completions", chat_body(messages=[{"role": "user", "content": [PART]}])
        )
    error = error_of(response)
    assert (response.status_code, error["param"]) == (400, "messages.0.content")
    assert "'tiny' reads text only; 'eyes' sees pictures" in error["message"]


async def test_a_text_model_refuses_those_of_a_response_by_the_item() -> None:
    with serving(FakeRunner(), cards=[card()]):
        response = await post(
            "/v1/responses", {"model": "tiny", "input": [{"role": "user", "content": "Hi"}, SEEN]}
        )
    assert (response.status_code, error_of(response)["param"]) == (400, "input.1.content")


async def test_tokens_are_counted_with_the_pictures() -> None:
    body = {"messages": [{"role": "user", "content": [PART]}], "model": "tiny"}
    for path in ("/v1/tokenize", "/tokenize"):
        runner = FakeRunner(refuse_with=InvalidValue("asked"))
        with serving(runner, cards=[card(sees=True)]):
            assert "asked" in (await post(path, body)).content.decode()
        (request,) = runner.requests
        assert isinstance(request, TokenizeRequest) and isinstance(request.of, ChatRequest)
        assert request.of.messages[0].pictures == (RED,)


# Responses.


async def test_a_stored_response_goes_on_with_its_pictures() -> None:
    first, request = await asked("/v1/responses", {"input": [SEEN]})
    shown = Message(role="user", content=f"What is it?{PICTURE}", pictures=(LOW,))
    assert request.messages == (shown,)
    _, request = await asked("/v1/responses", {"input": "And now?", "previous_response_id": first["id"]})
    assert request.messages[0] == shown and len(request.messages) == 3
    listed = await AsyncClient().get(f"/v1/responses/{first['id']}/input_items")
    assert json.loads(listed.content)["data"][0]["content"][1] == INPUT


async def test_a_picture_may_be_in_an_object_as_in_a_chat() -> None:
    for detail in ({}, {"detail": "low"}):
        shown = {"type": "input_image", "image_url": {"url": URL, "detail": "low"}} | detail
        first, request = await asked("/v1/responses", {"input": [{"role": "user", "content": [shown]}]})
        assert request.messages[0].pictures == (LOW,)
        listed = await AsyncClient().get(f"/v1/responses/{first['id']}/input_items")
        assert json.loads(listed.content)["data"][0]["content"] == [INPUT]


async def test_pictures_in_the_result_of_a_call_are_stored_with_it() -> None:
    call = {"type": "function_call", "call_id": "a", "name": "look", "arguments": "{}"}
    result = {"type": "function_call_output", "call_id": "a", "output": [INPUT]}
    first, request = await asked("/v1/responses", {"input": [SEEN, call, result]})
    assert request.messages[-1] == Message(role="tool", content=PICTURE, pictures=(LOW,), tool_call_id="a")
    stored = await StoredResponse.objects.aget(pk=first["id"])
    assert stored.input[-1]["output"][0]["image_url"] == URL
    _, again = await asked("/v1/responses", {"input": "So?", "previous_response_id": first["id"]})
    assert again.messages[2] == request.messages[-1]


@pytest.mark.parametrize(
    ("content", "param"),
    [
        ([{"type": "input_image", "image_url": "x"}], "input.0.content.0.image_url"),
        ([{"type": "input_image", "image_url": "https://a.example/x"}], "input.0.content.0.image_url"),
        ([{"type": "input_image", "file_id": "file_1"}], "input.0.content.0.file_id"),
        ([{"type": "input_image"}], "input.0.content.0.image_url"),
        ([{"type": "input_image", "image_url": URL, "detail": "huge"}], "input.0.content.0.detail"),
    ],
)
async def test_a_wrong_picture_is_named_by_its_place(content: Any, param: str) -> None:
    with serving(FakeRunner(), cards=[card(sees=True)]):
        response = await post(
            "/v1/responses", {"model": "tiny", "input": [{"role": "user", "content": content}]}
        )
    assert (response.status_code, error_of(response)["param"]) == (400, param)


@pytest.mark.parametrize("role", ["system", "assistant"])
async def test_only_users_and_tools_show_them(role: str) -> None:
    item = {"role": role, "content": [INPUT]}
    with serving(FakeRunner(), cards=[card(sees=True)]):
        response = await post("/v1/responses", {"model": "tiny", "input": [SEEN, item]})
    assert (response.status_code, error_of(response)["param"]) == (400, "input.1.content.0.type")


async def test_a_compaction_has_words_for_them() -> None:
    made, request = await asked("/v1/responses/compact", {"input": [SEEN]})
    assert request.messages[0].pictures == (LOW,)
    assert made["output"][0]["content"][0]["text"].startswith("What is it?[image/png, 3 × 2, ")


async def test_a_window_answers_the_last_pictures_and_keeps_words_for_all() -> None:
    runner = CountingRunner()
    said = {"role": "assistant", "content": "A square."}
    management = [{"type": "compaction", "compact_threshold": 10}]
    first, answered = await asked(
        "/v1/responses", {"input": [SEEN, said, SEEN], "context_management": management}, runner
    )
    assert [message.pictures for message in answered.messages] == [(), (), (LOW,)]
    assert "[image/png, 3 × 2, " in answered.messages[0].content
    _, later = await asked("/v1/responses", {"input": "So?", "previous_response_id": first["id"]})
    assert not any(message.pictures for message in later.messages)
    assert sum("[image/png, 3 × 2, " in message.content for message in later.messages) == 2


async def test_a_conversation_keeps_them() -> None:
    response = await post("/v1/conversations", {"items": [SEEN]})
    made = json.loads(response.content)
    _, request = await asked("/v1/responses", {"input": "What?", "conversation": made["id"]})
    assert request.messages[0].pictures == (LOW,)


# What is kept of a request for operators.


@pytest.fixture
def captures() -> Iterator[None]:
    SWITCH.set(60)
    yield
    SWITCH.set(0)


@pytest.mark.usefixtures("captures")
def test_a_capture_has_words_for_pictures() -> None:
    request = ChatRequest(model="tiny", messages=(Message(role="user", content=PICTURE, pictures=(RED,)),))
    captured = CapturedText(request, SWITCH)
    captured.note(TextDelta(text="red"))
    assert "[image/png, 3 × 2, 1 kB]" in captured._prompt
    assert URL[30:60] not in captured._prompt
