import json
from typing import Any

import pytest

from inference.errors import InvalidJSON, InvalidRequest, InvalidValue, UnsupportedField
from inference.requests import ChatRequest, Message, Sampling
from playground.requests import parse

ASKED: dict[str, Any] = {"model": "tiny", "messages": [{"role": "user", "content": "Hi"}]}


def body(**changes: Any) -> bytes:
    return json.dumps(ASKED | changes).encode()


def test_it_becomes_a_chat_request() -> None:
    parsed = parse(body(temperature=0, top_p=0.5, max_tokens=9, seed=7))
    assert parsed == ChatRequest(
        model="tiny",
        messages=(Message(role="user", content="Hi"),),
        sampling=Sampling(temperature=0, top_p=0.5, seed=7),
        max_tokens=9,
    )


@pytest.mark.parametrize(
    ("changes", "param"),
    [
        ({"temperature": 2.5}, "temperature"),
        ({"temperature": "1"}, "temperature"),
        ({"temperature": float("nan")}, "temperature"),
        ({"top_p": 0}, "top_p"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_tokens": True}, "max_tokens"),
        ({"seed": -1}, "seed"),
        ({"seed": 2**53}, "seed"),
        ({"model": ""}, "model"),
        ({"messages": []}, "messages"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "messages.0.role"),
        ({"messages": [{"role": "user", "content": ""}]}, "messages.0.content"),
        ({"messages": [{"role": "assistant", "content": "x"}]}, "messages"),
    ],
)
def test_it_refuses_a_wrong_value_by_name(changes: dict[str, Any], param: str) -> None:
    with pytest.raises(InvalidValue) as refused:
        parse(body(**changes))
    assert refused.value.param == param


def test_it_refuses_a_setting_it_does_not_have() -> None:
    with pytest.raises(UnsupportedField) as refused:
        parse(body(top_k=5))
    assert refused.value.param == "top_k"


@pytest.mark.parametrize("raw", [b"", b"{", b"\xff", b"[" * 100_000])
def test_it_refuses_what_is_no_json(raw: bytes) -> None:
    with pytest.raises(InvalidJSON):
        parse(raw)


@pytest.mark.parametrize("raw", [b"null", b"[]", b'"x"'])
def test_it_refuses_json_that_is_no_object(raw: bytes) -> None:
    with pytest.raises(InvalidRequest):
        parse(raw)


def test_a_refusal_does_not_repeat_what_was_written() -> None:
    with pytest.raises(InvalidRequest) as refused:
        parse(body(messages=[{"role": "user", "content": ["my secret"]}]))
    assert "secret" not in refused.value.message
