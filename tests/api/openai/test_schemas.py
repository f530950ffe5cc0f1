import json
from typing import Any

import pytest

from inference.api.http.strict_json import parse
from inference.api.openai.schemas import (
    ChatCompletionBody,
    CompletionBody,
    Strict,
)
from inference.core.errors import InvalidRequest, InvalidValue, UnsupportedField
from inference.core.requests import ChatRequest, CompletionRequest, Message, Sampling
from tests.api.openai.asking import chat_body
from tests.each import each

CALL = {"id": "call_1", "type": "function", "function": {"name": "add", "arguments": "{}"}}


def read(schema: type[Strict], fields: dict[str, Any]) -> Any:
    return parse(json.dumps(fields).encode(), schema)


def chat(**fields: Any) -> ChatRequest:
    request: ChatRequest = read(ChatCompletionBody, chat_body(**fields)).request()
    return request


def completion(**fields: Any) -> CompletionRequest:
    request: CompletionRequest = read(CompletionBody, {"model": "tiny", "prompt": "Once"} | fields).request()
    return request


def test_it_turns_a_chat_into_our_own_request() -> None:
    assert chat(temperature=0, top_p=0.5, seed=7, max_tokens=9, stop=["a", "b"]) == ChatRequest(
        model="tiny",
        messages=(Message(role="user", content="Hello"),),
        sampling=Sampling(temperature=0.0, top_p=0.5, seed=7),
        max_tokens=9,
        stop=("a", "b"),
    )


def test_it_reads_every_way_to_draw_a_token() -> None:
    fields: dict[str, Any] = {
        "top_k": 40,
        "min_p": 0.05,
        "presence_penalty": 0.5,
        "frequency_penalty": -1,
        "repetition_penalty": 1.1,
    }
    assert chat(**fields, logit_bias={"5": 1, "007": -100}).sampling == Sampling(
        **fields, logit_bias=((5, 1.0), (7, -100.0))
    )


def test_it_turns_a_completion_into_our_own_request() -> None:
    assert completion(echo=True, stop="x") == CompletionRequest(
        model="tiny", prompts=("Once",), echo=True, max_tokens=16, stop=("x",)
    )


def test_it_folds_developer_into_system_and_joins_text_parts() -> None:
    parts = [{"type": "text", "text": "Be "}, {"type": "text", "text": "kind."}]
    assert chat(messages=[{"role": "developer", "content": parts}]).messages == (
        Message(role="system", content="Be kind."),
    )


def test_it_reads_null_as_absent() -> None:
    optional = (ChatCompletionBody.model_fields.keys() | ChatCompletionBody.refused.keys()) - {
        "model",
        "messages",
    }
    assert chat(**dict.fromkeys(optional)) == chat()


def test_it_takes_both_names_of_the_length_when_they_agree() -> None:
    assert chat(max_tokens=5, max_completion_tokens=5).max_tokens == 5


def test_it_refuses_two_lengths_that_differ() -> None:
    with pytest.raises(InvalidValue) as caught:
        chat(max_tokens=5, max_completion_tokens=6)
    assert caught.value.param == "max_completion_tokens"


def test_it_reads_a_list_of_one_prompt() -> None:
    assert completion(prompt=["Once"]).prompts == ("Once",)


@each(
    ("prompt", "read"),
    [
        (["a", "b"], ("a", "b")),
        ([1, 2], ((1, 2),)),
        ([[1, 2]], ((1, 2),)),
        ([[1], [2, 3]], ((1,), (2, 3))),
        ([5], ((5,),)),
    ],
)
def test_it_reads_several_prompts_and_tokens(prompt: Any, read: Any) -> None:
    assert completion(prompt=prompt).prompts == read


@each("prompt", [[], [[]], "", [""], [-1], [1.5], [True], [[True]], [2**31], [1, "a"], {}, ["a"] * 129, 5])
def test_it_refuses_prompts_that_are_none(prompt: Any) -> None:
    with pytest.raises(InvalidValue) as caught:
        completion(prompt=prompt)
    assert (caught.value.param or "").startswith("prompt")


WRONG_VALUES: dict[str, list[Any]] = {
    "model": [None, "", "x" * 257, 5, True, [], {}],
    "messages": [None, [], {}, "Hello", 5, True],
    "temperature": [-0.1, 2.01, 10**18, True, "1", [], {}],
    "top_p": [-0.1, -1, 1.01, True, "1", [], {}],
    "top_k": [-2, 2**31, 1.5, True, "5", [], {}],
    "min_p": [-0.1, 1.01, True, "0", [], {}],
    "presence_penalty": [-2.01, 2.01, True, "1", [], {}],
    "frequency_penalty": [-2.01, 2.01, True, "1", [], {}],
    "repetition_penalty": [0, -1, 2.01, True, "1", [], {}],
    "logit_bias": [
        {"5": None},
        {"5": "1"},
        {"5": True},
        {"5": 100.01},
        {"-5": 1},
        {"": 1},
        {"a": "1"},
        {"a" * 501: 1},
        {"9" * 20: 1},
        {str(i): 1 for i in range(1025)},
        [5, 1],
        5,
        True,
    ],
    "logprobs": [0, 1, "true", [], {}],
    "top_logprobs": [-1, 21, 1.5, True, "5", [], {}],
    "seed": [2**63, -(2**63) - 1, 1.5, True, "3", [], {}],
    "max_tokens": [0, -2, 2**31, 1.5, True, "3", [], {}],
    "max_completion_tokens": [0, -2, 2**31, 1.5, True, "3", [], {}],
    "stop": [["a"] * 65, ["a"] * 1000, "x" * 501, 5, [1], True, {}],
    "n": [0, 9, -1, 1.5, True, "1", []],
    "stream": [0, 1, "true", [], {}],
    "stream_options": [5, "x", True, []],
}


@each(("field", "value"), [(field, value) for field, values in WRONG_VALUES.items() for value in values])
def test_it_refuses_wrong_values_and_names_the_field(field: str, value: Any) -> None:
    with pytest.raises(InvalidValue) as caught:
        read(ChatCompletionBody, chat_body(**{field: value}))
    assert (caught.value.param or "").split(".")[0] == field


@each(
    ("field", "value"),
    [
        ("prompt", ""),
        ("prompt", 5),
        ("echo", 1),
        ("echo", "yes"),
        *(("logprobs", v) for v in (-1, 6, True, "1")),
    ],
)
def test_it_refuses_wrong_values_of_the_older_endpoint(field: str, value: Any) -> None:
    with pytest.raises(InvalidValue) as caught:
        completion(**{field: value})
    assert caught.value.param == field


@pytest.mark.parametrize("field", ["model", "messages"])
def test_it_asks_for_what_is_missing(field: str) -> None:
    body = chat_body()
    del body[field]
    with pytest.raises(InvalidValue, match="is required"):
        read(ChatCompletionBody, body)


def test_alternatives_are_asked_for_together_with_logprobs() -> None:
    assert chat(logprobs=True).logprobs == 0
    assert chat(logprobs=True, top_logprobs=5).logprobs == 5
    assert chat(logprobs=False).logprobs is None
    with pytest.raises(InvalidValue) as caught:
        chat(top_logprobs=5)
    assert caught.value.param == "top_logprobs"


def test_an_echo_may_have_logprobs_and_no_answer() -> None:
    request = completion(logprobs=3, echo=True, max_tokens=0)
    assert (request.logprobs, request.echo, request.max_tokens) == (3, True, 0)
    with pytest.raises(InvalidValue) as caught:
        completion(max_tokens=0)
    assert caught.value.param == "max_tokens"


def test_prompts_times_n_are_bounded() -> None:
    assert completion(prompt=["a"] * 16, n=8).answers == 128
    with pytest.raises(InvalidValue) as caught:
        completion(prompt=["a"] * 17, n=8)
    assert caught.value.param == "n"


@each("fields", [{"echo": True}, {"prompt": ["a", "b"]}, {"prompt": [1]}])
def test_a_suffix_needs_one_plain_prompt(fields: dict[str, Any]) -> None:
    assert completion(suffix="b").suffix == "b"
    with pytest.raises(UnsupportedField) as caught:
        completion(suffix="b", **fields)
    assert caught.value.param == "suffix"


def test_it_allows_stream_options_only_in_a_stream() -> None:
    with pytest.raises(InvalidValue) as caught:
        chat(stream_options={"include_usage": True})
    assert caught.value.param == "stream_options"


@pytest.mark.parametrize(
    ("message", "param"),
    [
        ({"role": "assistant", "content": [{"type": "file"}]}, "messages.0.content.0.type"),
        ({"role": "user", "content": [{"type": "input_audio"}]}, "messages.0.content.0.type"),
    ],
)
def test_it_refuses_what_messages_cannot_hold_yet(message: dict[str, Any], param: str) -> None:
    with pytest.raises(UnsupportedField) as caught:
        chat(messages=[message])
    assert caught.value.param == param


@each(
    "message",
    [
        *(5, "x", None, {}, {"role": "user"}, {"role": "king", "content": "x"}),
        *({"role": "user", "content": None}, {"role": "system"}),
        *({"role": "tool", "content": "x"}, {"role": "tool", "content": "x", "tool_call_id": "unheard"}),
        {"role": "user", "content": "x", "tool_call_id": "a"},
        {"role": "user", "content": "x", "reasoning_content": "a"},
        {"role": "user", "content": "x", "tool_calls": [CALL]},
        {"role": "assistant", "content": "x", "tool_calls": [CALL | {"id": ""}]},
        {"role": "assistant", "content": "x", "tool_calls": [CALL | {"type": "code"}]},
        {"role": "user", "content": "x", "name": "x" * 257},
    ],
)
def test_it_refuses_messages_that_are_none(message: Any) -> None:
    with pytest.raises(InvalidRequest) as caught:
        chat(messages=[message])
    assert (caught.value.param or "").startswith("messages.0")


def test_it_takes_an_assistant_message_as_the_official_client_dumps_it() -> None:
    dumped: Any = {
        "role": "assistant",
        "content": "Hi",
        "refusal": None,
        "annotations": [],
        "audio": None,
        "tool_calls": None,
    }
    assert chat(messages=[dumped]).messages == (Message(role="assistant", content="Hi"),)


@each("field", ["user", "safety_identifier", "prompt_cache_key", "reasoning_effort"])
def test_an_empty_text_asks_for_nothing(field: str) -> None:
    assert chat(**{field: ""}) == chat()


def test_a_refusal_of_an_earlier_answer_is_a_text() -> None:
    said = [{"type": "refusal", "refusal": "No."}, {"type": "text", "text": " Sorry."}]
    turns = [{"role": "user", "content": "Do it"}, {"role": "assistant", "content": said}]
    request = chat(messages=[*turns, {"role": "user", "content": "Why?"}])
    assert request.messages[1].content == "No. Sorry."
