"""An answer's text: hidden tokens, stop strings, reasoning and echoes."""

from typing import Any

import pytest

from inference.adapters.channel_reader import ChannelReader
from inference.core.events import ReasoningDelta, TextDelta
from inference.core.requests import ChatRequest, CompletionRequest, Message
from inference.worker.text.answer import AnswerText
from tests.adapters.family_models import hub_tokenizer, make, real
from tests.each import each
from tests.tiny import CHATML, SPECIAL

BYTES = hub_tokenizer()


def answer(**options: Any) -> AnswerText:
    return AnswerText(BYTES, hidden=BYTES.special_ids, **options)


def feed(made: AnswerText, text: str) -> list[Any]:
    events: list[Any] = []
    for token in BYTES.encode(text):
        events += made.feed(token)
        if made.is_stopped:
            return events
    return events + made.flush()


def text_of(events: list[Any], kind: type[TextDelta | ReasoningDelta] = TextDelta) -> str:
    return "".join(event.text for event in events if isinstance(event, kind))


def test_a_stop_string_ends_the_answer_before_it() -> None:
    made = answer(stops=["nowhere", "there"])
    assert text_of(feed(made, "Hello there!")) == "Hello "
    assert (made.is_stopped, made.stop) == (True, "there")


def test_an_answer_that_no_stop_string_ends_names_none() -> None:
    made = answer(stops=["there"])
    feed(made, "Hello then!")
    assert (made.is_stopped, made.stop) == (False, "")


def test_a_stop_string_may_lie_across_characters_of_several_bytes() -> None:
    made = answer(stops=["é😀"])
    assert text_of(feed(made, "café😀 bar")) == "caf"


def test_a_stop_string_that_ends_with_the_answer_is_met() -> None:
    made = answer(stops=["."])
    assert text_of(feed(made, "Yes.")) == "Yes"
    assert made.is_stopped


@pytest.mark.parametrize("stop", ["<|eot_id|>", "#"])
def test_a_stop_token_has_no_text_even_as_an_ordinary_token(stop: str) -> None:
    token = BYTES.encode(stop)[0]
    made = AnswerText(BYTES, hidden=BYTES.special_ids | {token})
    events = [*made.feed(BYTES.encode("a")[0]), *made.feed(token), *made.flush()]
    assert (text_of(events), made.tokens) == ("a", 2)


def test_a_chats_answer_has_the_adapters_hidden_tokens_and_reader() -> None:
    adapter, tokenizer = make(CHATML, ("<|im_start|>", "<|im_end|>", "<think>", "</think>"))
    request = ChatRequest(model="tiny", messages=(Message(role="user", content="hi"),))
    made = AnswerText.of(request, adapter.render(request), tokenizer, adapter)
    events: list[Any] = []
    for token in tokenizer.encode("<think>hm</think>ok<|im_end|>"):
        events += made.feed(token)
    events += made.flush()
    assert (text_of(events, ReasoningDelta), text_of(events)) == ("hm", "ok")


def test_a_completion_is_read_as_it_is_and_echoes_its_prompt() -> None:
    adapter, tokenizer = make(CHATML, ("<|im_start|>", "<|im_end|>", "<think>", "</think>"))
    request = CompletionRequest(model="tiny", prompts=("say <think>",), echo=True)
    made = AnswerText.of(request, tokenizer.encode_prompt("say <think>"), tokenizer, adapter)
    events = [*made.begin(), *(event for i in tokenizer.encode("a</think>") for event in made.feed(i))]
    assert text_of(events + made.flush()) == "say <think>a</think>"


@each("token", SPECIAL)
def test_special_tokens_have_no_text_but_count(token: str) -> None:
    made = answer()
    events = feed(made, f"a{token}b")
    assert (text_of(events), made.tokens) == ("ab", 3)


def test_every_token_is_counted_once() -> None:
    made = answer(stops=["zzz"])
    events = feed(made, "naïve 😀 zz")
    assert sum(event.tokens for event in events) == made.tokens


def test_an_echo_comes_first_and_costs_no_tokens() -> None:
    made = answer(echo="Once")
    assert made.begin() == [TextDelta(text="Once", tokens=0)]
    assert made.tokens == 0


def test_reasoning_and_stop_strings_work_together() -> None:
    made = answer(stops=["END"], reader=ChannelReader(reasoning=("<think>", "</think>")))
    events = feed(made, "<think>hm</think>four END five")
    assert (text_of(events, ReasoningDelta), text_of(events)) == ("hm", "four ")


def test_line_breaks_behind_the_reasoning_are_no_stop_string() -> None:
    made = answer(stops=["\n\n"], reader=ChannelReader(reasoning=("<think>", "</think>")))
    assert text_of(feed(made, "<think>\nhm\n</think>\n\nIt is 5.\n\nOr so.")) == "It is 5."
    assert made.is_stopped


@pytest.mark.parametrize("text", ["<think>hm END</think>four", "<think>EN</think>D four"])
def test_a_stop_string_in_the_reasoning_ends_nothing(text: str) -> None:
    made = answer(stops=["END"], reader=ChannelReader(reasoning=("<think>", "</think>")))
    assert text_of(feed(made, text)).endswith("four")
    assert not made.is_stopped


def test_what_is_filled_in_ends_without_a_mark() -> None:
    adapter, tokenizer = real("qwen3", "qwen3")
    request = CompletionRequest(model="tiny", prompts=("a",), suffix="b")
    made = AnswerText.of(request, adapter.infill("a", "b"), tokenizer, adapter)
    events = [event for token in tokenizer.encode("c<|fim_pad|>") for event in made.feed(token)]
    assert text_of(events + made.flush()) == "c"
