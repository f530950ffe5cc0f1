"""Which answers go on in place, and what their model is sent."""

from typing import Any

import pytest

from inference.core.errors import ModelNotFound
from playground import chat_request, continuation
from playground.models import Message
from tests.each import each
from tests.fakes import FakeRunner, serving


def answer(**fields: Any) -> Message:
    return Message(role="assistant", **fields)


@each(
    ("message", "reason"),
    [
        (answer(content="Half a"), ""),
        (answer(content="```python\nx = ", reasoning="Done thinking."), ""),
        (answer(reasoning="But what if"), "still reasoning"),
        (answer(), "no text"),
        (answer(content="I look.", calls=[{"id": "a", "name": "now", "arguments": "{}"}]), "functions"),
    ],
)
def test_an_answer_without_text_or_with_calls_cannot_go_on_and_says_why(
    message: Message, reason: str
) -> None:
    assert (reason in continuation.refusal(message)) and bool(reason) == bool(continuation.refusal(message))


def test_the_rest_is_made_with_the_fields_of_the_beginning_and_the_pages_limit() -> None:
    made = {"model": "tiny", "temperature": 0.5, "seed": 7, "max_tokens": 20}
    with serving(FakeRunner()):
        assert continuation.question(made, {"model": "other", "max_tokens": 90}) == {**made, "max_tokens": 90}
        unlimited = continuation.question(made, {"model": "other"})
    assert unlimited == {"model": "tiny", "temperature": 0.5, "seed": 7}


def test_an_imported_answer_is_continued_with_the_pages_question() -> None:
    with serving(FakeRunner()):
        assert continuation.question(None, {"model": "tiny", "top_k": 3}) == {"model": "tiny", "top_k": 3}


def test_a_model_that_is_gone_is_named() -> None:
    with serving(FakeRunner()), pytest.raises(ModelNotFound, match="gone-model"):
        continuation.question({"model": "gone-model"}, {"model": "tiny"})


@each("text", ["Half a", "```python\nx = 1\n", "ends with a space "])
def test_the_last_message_of_the_request_is_the_answer_so_far(text: str) -> None:
    branch = [Message(role="user", content="Go"), answer(content=text, reasoning="I think.")]
    made = continuation.request(chat_request.validated({"model": "tiny"}), "Be brief.", branch, {})
    assert made.continues
    assert [message.role for message in made.messages] == ["system", "user", "assistant"]
    assert (made.messages[-1].content, made.messages[-1].reasoning) == (text, "I think.")
