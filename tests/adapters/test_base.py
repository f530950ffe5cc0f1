"""The contract's own parts: stop tokens from everywhere, prompts from any template, typed failures."""

from typing import Any

import pytest

from inference.errors import TemplateFailed
from inference.types import Message
from tests.adapters.families import make, stops
from tests.tiny import CHATML

USER = [Message(role="user", content="hi")]


@pytest.mark.parametrize(
    ("value", "expected"),
    [(257, {"<|end_of_text|>"}), ([257, 258], {"<|end_of_text|>", "<|eot_id|>"})],
)
def test_stop_ids_are_the_union_of_the_files(value: Any, expected: set[str]) -> None:
    for place in ("config", "generation_config"):
        adapter, tokenizer = make(CHATML, **{place: {"eos_token_id": value}})
        assert stops(adapter, tokenizer) == expected | {"<|im_end|>"}


@pytest.mark.parametrize("value", [None, True, "257", ["257", None, True], {"a": 1}, -1, 10**9])
def test_nonsense_in_a_config_stops_nothing(value: Any) -> None:
    adapter, tokenizer = make(CHATML, config={"eos_token_id": value})
    assert stops(adapter, tokenizer) == {"<|im_end|>"}


def test_a_template_that_refuses_the_probe_costs_only_the_probe() -> None:
    adapter, tokenizer = make("{{ raise_exception('no') }}", config={"eos_token_id": 257})
    assert stops(adapter, tokenizer) == {"<|end_of_text|>"}


def test_a_template_that_writes_no_terminator_adds_none() -> None:
    adapter, tokenizer = make("{% for m in messages %}{{ m['content'] }}\n{% endfor %}")
    assert stops(adapter, tokenizer) == set()


def test_a_model_without_a_template_says_where_to_go() -> None:
    adapter, _ = make("")
    with pytest.raises(TemplateFailed, match="/v1/completions"):
        adapter.render(USER)


def test_a_templates_refusal_is_told_in_its_own_words() -> None:
    adapter, _ = make("{{ raise_exception('Roles must alternate') }}")
    with pytest.raises(TemplateFailed, match="Roles must alternate") as refusal:
        adapter.render(USER)
    assert refusal.value.param == "messages"


@pytest.mark.parametrize(
    "template",
    ["{{ messages[9]['content'] }}", "{{ 1 + 'a' }}", "{{ 5 % 0 }}", "{% broken", "{{ messages.pop() }}"],
)
def test_a_broken_template_is_a_typed_error(template: str) -> None:
    adapter, _ = make(template)
    with pytest.raises(TemplateFailed):
        adapter.render(USER)


@pytest.mark.parametrize(
    "template",
    [
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "{{ cycler.__init__.__globals__.os.system('true') }}",
        "{{ self._TemplateReference__context }}",
        "{{ ().__class__.__base__ }}",
    ],
)
def test_a_template_cannot_leave_its_sandbox(template: str) -> None:
    adapter, tokenizer = make(template)
    try:
        text = tokenizer.decode(adapter.render(USER))
    except TemplateFailed:
        return
    assert "class" not in text
    assert "Context" not in text


@pytest.mark.parametrize(
    ("tail", "channel"), [("", "text"), ("<think>\n", "reasoning"), ("<think>\n\n</think>\n\n", "text")]
)
def test_reading_starts_inside_reasoning_where_the_prompt_opened_it(tail: str, channel: str) -> None:
    template = CHATML + "{% if add_generation_prompt %}" + tail + "{% endif %}{# <think> #}"
    adapter, _ = make(template)
    (piece,) = adapter.reader(adapter.render(USER)).feed("hm, ")
    assert piece.channel == channel
