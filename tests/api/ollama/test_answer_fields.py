"""The fields of an answer in the dialect of Ollama."""

from inference.api.ollama.answer_fields import (
    call_objects,
    calls_left_as_text,
    chat_fields,
    generate_fields,
    logprob_fields,
    timestamp,
)
from inference.core.events import TokenLogprob
from inference.core.requests import ToolCall
from tests.each import each

GOOD = ToolCall(id="c1", name="add", arguments='{"a": 1}')
BAD = ToolCall(id="c2", name="add", arguments="[1]")


def test_only_calls_with_an_object_are_calls_and_the_others_text() -> None:
    function = {"index": 0, "name": "add", "arguments": {"a": 1}}
    assert call_objects([GOOD, BAD]) == [{"id": "c1", "function": function}]
    assert calls_left_as_text([GOOD, BAD]) == "add([1])"


@each("arguments", ["{", "[" * 100_000, "1"])
def test_arguments_that_are_no_object_stay_text(arguments: str) -> None:
    assert call_objects([ToolCall(id="c", name="add", arguments=arguments)]) == []


def test_empty_arguments_are_an_empty_object() -> None:
    (made,) = call_objects([ToolCall(id="c", name="now", arguments="")])
    assert made["function"]["arguments"] == {}


def test_thinking_and_calls_are_left_out_where_there_are_none() -> None:
    assert chat_fields("Hi", "", []) == {"message": {"role": "assistant", "content": "Hi"}}
    assert chat_fields("", "Hm", [{}])["message"].keys() == {"role", "content", "thinking", "tool_calls"}
    assert generate_fields("Hi", "", []) == {"response": "Hi"}
    assert generate_fields("Hi", "Hm", []) == {"response": "Hi", "thinking": "Hm"}


def test_alternatives_are_listed_where_there_are_some() -> None:
    other = TokenLogprob(text="a", bytes=(97,), logprob=-2.0)
    token = TokenLogprob(text="b", bytes=(98,), logprob=-1.0, top=(other,))
    entry = {"token": "a", "logprob": -2.0, "bytes": (97,)}
    assert logprob_fields([token, other]) == {
        "logprobs": [{"token": "b", "logprob": -1.0, "bytes": (98,), "top_logprobs": [entry]}, entry]
    }
    assert logprob_fields([]) == {}


def test_a_time_is_in_utc_with_microseconds() -> None:
    assert timestamp(0.25) == "1970-01-01T00:00:00.250000Z"
