"""Prompts that end with the assistant's last message, with the templates that families publish."""

import pytest

from inference.adapters.chat_template.continuation import up_to_end_mark, with_end_mark
from inference.core.errors import TemplateFailed
from inference.core.requests import Message
from tests.adapters.family_models import chat_request, make, real
from tests.adapters.published_templates import PUBLISHED, published
from tests.adapters.test_base import USER
from tests.each import each

BEGUN = Message(role="assistant", content="Once upon a")
TEMPLATES = sorted(set(PUBLISHED) - {"mistral_small"})  # which wants variables that only its own library sets


@each("name", TEMPLATES)
def test_the_prompt_ends_with_the_text_that_goes_on(name: str) -> None:
    adapter, tokenizer = make(published(name))
    text = tokenizer.decode(adapter.render(chat_request(*USER.messages, BEGUN, continues=True)))
    assert text.endswith("Once upon a")
    assert "hi" in text


def test_the_answer_goes_on_after_the_reasoning() -> None:
    adapter, tokenizer = real("qwen3", "qwen3")
    request = chat_request(*USER.messages, BEGUN, continues=True)
    state = adapter.reasoning_state(adapter.render(request), request)
    assert state and state.is_closed and not state.is_open


def test_reasoning_that_was_cut_goes_on_as_reasoning() -> None:
    adapter, tokenizer = real("qwen3", "qwen3")
    thinking = Message(role="assistant", content="", reasoning="Let me see, the")
    request = chat_request(*USER.messages, thinking, continues=True)
    prompt = adapter.render(request)
    assert tokenizer.decode(prompt).endswith("<think>\nLet me see, the")
    state = adapter.reasoning_state(prompt, request)
    assert state and state.is_open
    pieces = adapter.reader(prompt, request).feed(" end.</think>\n\nYes")
    assert [piece.channel for piece in pieces if piece.text] == ["reasoning", "text"]


def test_a_message_that_the_template_leaves_out_cannot_go_on() -> None:
    with pytest.raises(TemplateFailed, match="cannot be continued"):
        up_to_end_mark("no mark here")
    marked = with_end_mark(BEGUN).content
    assert up_to_end_mark(f"x {marked}<end>") == "x Once upon a"
