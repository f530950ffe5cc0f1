import re

import pytest

from inference.core.requests import Message, ToolCall
from tests.adapters.family_models import ADD, LLAMA_TOOLS, chat_request, make, real, rendered, stops
from tests.each import each
from tests.tiny import LLAMA_3

ALL = {"<|end_of_text|>", "<|eot_id|>", "<|eom_id|>"}


@each("eos", [{}, {"eos_token_id": 257}, {"eos_token_id": [257, 258]}])
def test_all_three_ends_stop_whatever_the_config_names(eos: dict[str, object]) -> None:
    adapter, tokenizer = make(LLAMA_3, config={"model_type": "llama", **eos})
    assert stops(adapter, tokenizer) == ALL


def test_a_generation_config_adds_and_never_replaces() -> None:
    adapter, tokenizer = make(
        LLAMA_3,
        config={"model_type": "llama"},
        generation_config={"eos_token_id": tokenizer_id("<|im_end|>")},
    )
    assert stops(adapter, tokenizer) == ALL | {"<|im_end|>"}


def tokenizer_id(token: str) -> int:
    _, tokenizer = make(LLAMA_3)
    return tokenizer.id_of(token) or -1


@pytest.mark.parametrize("template", ["", LLAMA_3])
def test_the_real_tokenizer_has_all_three(template: str) -> None:
    adapter, tokenizer = real("llama3_2", "llama", template)
    assert (adapter.name, stops(adapter, tokenizer)) == ("llama3", ALL)


def test_a_fine_tune_with_another_template_is_what_its_template_is() -> None:
    chatml = "{% for m in messages %}<|im_start|>{{ m['content'] }}<|im_end|>{% endfor %}"
    adapter, _ = real("llama3_2", "llama", chatml)
    assert adapter.name == "default"


def test_the_prompt_ends_where_the_answer_begins() -> None:
    adapter, tokenizer = make(LLAMA_3, config={"model_type": "llama"})
    assert rendered(adapter, tokenizer, "hi").endswith(
        "<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n"
    )


def test_the_prompt_has_one_begin_of_text() -> None:
    adapter, tokenizer = make(LLAMA_3, config={"model_type": "llama"})
    assert rendered(adapter, tokenizer, "hi").count("<|begin_of_text|>") == 1


def test_several_calls_become_turns_of_one_with_its_result() -> None:
    adapter, tokenizer = real("llama3_2", "llama", LLAMA_TOOLS)
    calls = tuple(ToolCall(id=f"{a}", name="add", arguments=f'{{"a": {a}}}') for a in (1, 2))
    results = [Message(role="tool", content=f"r{a}", tool_call_id=f"{a}") for a in (2, 1)]
    question = Message(role="user", content="hi")
    called = Message(role="assistant", content="", tool_calls=calls)
    text = tokenizer.decode(adapter.render(chat_request(question, called, *results, question, tools=(ADD,))))
    assert re.findall(r'"a": \d|r\d', text) == ['"a": 1', "r1", '"a": 2', "r2"]


def test_a_result_of_no_call_stays_where_it_is() -> None:
    adapter, _ = make(LLAMA_3, config={"model_type": "llama"})
    messages = [Message(role="user", content="hi"), Message(role="tool", content="5", tool_call_id="9")]
    assert list(adapter.normalise(messages)) == messages
