"""The small JSON files from which adapters are chosen."""

from typing import Any

import pytest

from inference.adapters.model_facts import ModelFacts
from tests.each import each

THINK = {"added_tokens_decoder": {"7": {"content": "<think>"}, "8": "broken"}}


@pytest.mark.parametrize(("config", "kind"), [({"model_type": "qwen3"}, "qwen3"), ({}, "")])
def test_the_model_type_is_that_of_the_config(config: dict[str, Any], kind: str) -> None:
    assert ModelFacts(config=config).model_type == kind


def test_an_added_token_is_found_by_its_whole_text() -> None:
    facts = ModelFacts(tokenizer_config=THINK)
    assert facts.has_added_token("<think>")
    assert not facts.has_added_token("think")


@each("listed", [None, [], "<think>"])
def test_a_list_of_another_form_has_no_tokens(listed: Any) -> None:
    assert not ModelFacts(tokenizer_config={"added_tokens_decoder": listed}).has_added_token("<think>")
