"""Captured text as it is shown."""

import json
import re
from html import unescape

import msgspec

from inference.admin import captured_text
from inference.core.requests import (
    ChatRequest,
    CompletionRequest,
    EmbeddingRequest,
    Message,
    Request,
    RerankRequest,
    Sampling,
    TokenizeRequest,
    ToolCall,
)


def parts(html: str) -> list[tuple[str, str]]:
    found = re.findall(r"<dt>(.*?)</dt><dd><pre>(.*?)</pre></dd>", html, re.DOTALL)
    return [(unescape(name), unescape(text)) for name, text in found]


def prompt(request: Request) -> list[tuple[str, str]]:
    return parts(captured_text.prompt(msgspec.json.encode(request).decode()))


def test_a_chat_is_its_messages_and_below_them_what_else_was_given() -> None:
    call = ToolCall(id="1", name="weather", arguments='{"city": "Bonn"}')
    messages = (
        Message(role="system", content="Be <brief>."),
        Message(role="user", content="Hi\nyou"),
        Message(role="assistant", content="", reasoning="Hm.", tool_calls=(call,)),
        Message(role="tool", name="weather", content="rain", tool_call_id="1"),
    )
    asked = ChatRequest(
        model="m", messages=messages, sampling=Sampling(temperature=0.2, seed=7), max_tokens=60, stop=("x",)
    )
    assert prompt(asked) == [
        ("system", "Be <brief>."),
        ("user", "Hi\nyou"),
        ("assistant, reasoning", "Hm."),
        ("assistant, call of weather", '{"city": "Bonn"}'),
        ("tool (weather)", "rain"),
        ("Settings", 'sampling.temperature: 0.2\nsampling.seed: 7\nmax_tokens: 60\nstop: ["x"]'),
    ]
    assert prompt(TokenizeRequest(of=asked)) == prompt(asked)


def test_texts_and_tokens_are_shown_as_they_were_given() -> None:
    assert prompt(CompletionRequest(model="m", prompts=("Once", (1, 2)))) == [
        ("text", "Once"),
        ("text", "1 2"),
    ]
    assert prompt(EmbeddingRequest(model="m", inputs=("Once",), dimensions=4)) == [
        ("text", "Once"),
        ("Settings", "dimensions: 4"),
    ]
    assert prompt(RerankRequest(model="m", query="Why?", documents=("so",), max_tokens_per_document=4)) == [
        ("query", "Why?"),
        ("document", "so"),
        ("Settings", "max_tokens_per_document: 4"),
    ]


def test_what_was_cut_off_is_shown_as_it_is() -> None:
    ((name, text),) = parts(captured_text.prompt('{"type":"chat","messages":[{"role":"us'))
    assert "Truncated" in name and text.endswith('"us')


def test_an_answer_is_its_parts_and_several_are_numbered() -> None:
    pieces = [{"answer": 0, "part": "reasoning", "text": "Hm."}, {"answer": 0, "part": "text", "text": "<b>"}]
    assert parts(captured_text.answer(json.dumps(pieces))) == [("reasoning", "Hm."), ("text", "<b>")]
    pieces.append({"answer": 1, "part": "text", "text": "No."})
    assert parts(captured_text.answer(json.dumps(pieces)))[-1] == ("text, answer 2", "No.")
