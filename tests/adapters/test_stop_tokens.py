"""Stop tokens come from the model's files, its family and its chat template, whatever the files contain."""

from typing import Any

import pytest

from inference.adapters import ModelFacts
from inference.adapters.families.default import Default
from tests.adapters.family_models import make, stops
from tests.each import each
from tests.tiny import CHATML, make_tokenizer


@pytest.mark.parametrize(
    ("value", "expected"),
    [(257, {"<|end_of_text|>"}), ([257, 258], {"<|end_of_text|>", "<|eot_id|>"})],
)
def test_stop_ids_are_the_union_of_the_files(value: Any, expected: set[str]) -> None:
    named = {"eos_token_id": value}
    for adapter, tokenizer in (make(CHATML, config=named), make(CHATML, generation_config=named)):
        assert stops(adapter, tokenizer) == expected | {"<|im_end|>"}


@each("value", [None, True, "257", ["257", None, True], {"a": 1}, -1, 10**9])
def test_nonsense_in_a_config_stops_nothing(value: Any) -> None:
    adapter, tokenizer = make(CHATML, config={"eos_token_id": value})
    assert stops(adapter, tokenizer) == {"<|im_end|>"}


def test_a_template_that_refuses_the_probe_costs_only_the_probe() -> None:
    adapter, tokenizer = make("{{ raise_exception('no') }}", config={"eos_token_id": 257})
    assert stops(adapter, tokenizer) == {"<|end_of_text|>"}


def test_a_template_that_writes_no_terminator_adds_none() -> None:
    adapter, tokenizer = make("{% for m in messages %}{{ m['content'] }}\n{% endfor %}")
    assert stops(adapter, tokenizer) == set()


def test_a_model_of_images_keeps_its_ends_with_its_texts_config() -> None:
    adapter, tokenizer = make("", config={"text_config": {"eos_token_id": 258}})
    assert stops(adapter, tokenizer) == {"<|eot_id|>"}


def test_an_end_written_only_where_the_next_turn_begins_stops() -> None:
    template = (
        "{% for m in messages %}{{ '<|im_start|>' if m['role'] == 'user' }}{{ m['content'] }}\n{% endfor %}"
    )
    adapter, tokenizer = make(template)
    assert stops(adapter, tokenizer) == {"<|im_start|>"}


def test_an_end_that_its_tokenizer_does_not_call_special_stops_and_is_hidden() -> None:
    from transformers import PreTrainedTokenizerFast

    from inference.worker.model.tokenizer import HubTokenizer

    rust = make_tokenizer(())
    rust.add_tokens(["<|im_start|>", "<|im_end|>"])
    tokenizer = HubTokenizer(PreTrainedTokenizerFast(tokenizer_object=rust, chat_template=CHATML))
    adapter = Default(ModelFacts(chat_template=CHATML), tokenizer)
    assert stops(adapter, tokenizer) == {"<|im_end|>"}
    assert adapter.hidden_ids == adapter.stop_ids
