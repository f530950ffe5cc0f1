"""Tool calls in an answer's text: deltas, reasons and tokens."""

from typing import Any

from inference.core.events import FinishReason, TextDelta, TokenLogprob, ToolCallDelta
from inference.core.requests import Message
from inference.worker.text.answer import AnswerText
from tests.adapters.family_models import ADD, chat_request, real
from tests.each import each

CALL = '<tool_call>\n{"name": "add", "arguments": {"a": 1}}\n</tool_call>'
QWEN = real("qwen3", "qwen3")


def calling(text: str, **wishes: Any) -> tuple[AnswerText, list[Any]]:
    """An answer of this text to a request with tools, and its events."""
    adapter, tokenizer = QWEN
    request = chat_request(Message(role="user", content="hi"), tools=(ADD,), **wishes)
    made = AnswerText.of(request, [0], tokenizer, adapter)
    events: list[Any] = []
    for token in tokenizer.encode(text):
        events += made.feed(token)
        if made.is_stopped:
            return made, events
    return made, events + made.flush()


def text_of(events: list[Any]) -> str:
    return "".join(event.text for event in events if isinstance(event, TextDelta))


def arguments(events: list[Any]) -> str:
    return "".join(event.text for event in events if isinstance(event, ToolCallDelta))


def test_a_calls_beginning_has_its_id_and_name_and_the_rest_its_arguments() -> None:
    _, events = calling(f"Let me see.\n{CALL}")
    first, *others = [event for event in events if isinstance(event, ToolCallDelta)]
    assert (first.call, first.name, first.text, first.id[:5]) == (0, "add", "", "call_")
    assert all((other.call, other.name, other.id) == (0, "", "") for other in others)
    assert (text_of(events), arguments(events)) == ("Let me see.", '{"a": 1}')


@each(
    ("text", "finish", "reason"),
    [
        (CALL, "stop", "tool_calls"),
        (CALL[:50], "length", "length"),
        (CALL.replace("add", "sub"), "stop", "stop"),
        ("Hello", "stop", "stop"),
        ("Hello", "length", "length"),
    ],
)
def test_an_answer_with_a_call_that_ended_by_itself_says_so(
    text: str, finish: FinishReason, reason: FinishReason
) -> None:
    made, _ = calling(text)
    assert made.reason(finish) == reason


def test_a_stop_string_in_the_arguments_ends_nothing() -> None:
    made, events = calling(CALL + "\nDone. END", stop=("a", "END"))
    assert arguments(events) == '{"a": 1}'
    assert (text_of(events), made.reason(None)) == ("Done. ", "tool_calls")


def test_where_one_call_is_allowed_the_answer_ends_with_it() -> None:
    made, events = calling(f"{CALL}\n{CALL}", may_call_several=False)
    assert arguments(events) == '{"a": 1}'
    assert made.is_stopped
    assert made.reason(None) == "tool_calls"


@each("text", [CALL, f"a\n{CALL}\n{CALL}", f"<think>hm</think>\n{CALL}\nb", CALL[:12]])
def test_every_token_of_a_call_is_counted_once(text: str) -> None:
    made, events = calling(text)
    assert sum(event.tokens for event in events) == made.tokens


def test_several_answers_keep_their_calls_apart() -> None:
    adapter, tokenizer = QWEN
    request = chat_request(Message(role="user", content="hi"), tools=(ADD,), n=2)
    made = AnswerText.of(request, [0], tokenizer, adapter, index=1)
    events: list[Any] = [event for token in tokenizer.encode(CALL) for event in made.feed(token)]
    assert {event.index for event in events} == {1}


def cut(text: str, **wishes: Any) -> tuple[AnswerText, list[Any]]:
    """An answer that max_tokens cuts here, with a log probability for each of its tokens."""
    adapter, tokenizer = QWEN
    request = chat_request(Message(role="user", content="hi"), tools=(ADD,), logprobs=0, **wishes)
    made = AnswerText.of(request, [0], tokenizer, adapter)
    events: list[Any] = []
    for token in tokenizer.encode(text):
        logprob = TokenLogprob(text=tokenizer.decode([token]), bytes=(0,), logprob=0.0)
        events += [] if made.is_stopped else made.feed(token, logprob)
    return made, events + ([] if made.is_stopped else made.flush("length"))


@each("end", range(1, len(CALL)))
def test_a_required_call_has_no_text_wherever_it_is_cut(end: int) -> None:
    made, events = cut(CALL[:end], must_call=("add",), follows_schemas=True)
    assert text_of(events) == ""
    assert '{"a": 1}'.startswith(arguments(events))
    assert sum(event.tokens for event in events) == made.tokens


@each("end", range(6, len(CALL)))
def test_text_before_a_cut_call_has_its_own_log_probabilities_and_no_others(end: int) -> None:
    made, events = cut(f"See.\n{CALL[:end]}")
    texts = [event for event in events if isinstance(event, TextDelta)]
    reported = "".join(logprob.text for event in texts for logprob in event.logprobs)
    assert text_of(events).rstrip() == reported.rstrip() == "See."
    assert sum(event.tokens for event in events) == made.tokens


@each("text", ["a <", "if a <b", "a < b and <", "<"])
def test_what_may_be_text_stays_text_with_its_log_probabilities(text: str) -> None:
    made, events = cut(text)
    assert text_of(events) == text
    assert sum(len(event.logprobs) for event in events) == made.tokens == sum(e.tokens for e in events)
