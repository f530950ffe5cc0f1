from typing import Any

import pytest

from inference.worker.conversion.metadata import GgufMetadata
from inference.worker.conversion.vocabulary import eos_ids, make_tokenizer, token_id, tokenizer_config
from tests.each import each
from tests.gguf_files import tokenizer_metadata, vocabulary


def metadata(**changes: Any) -> GgufMetadata:
    fields = {f"tokenizer.ggml.{key}": value for key, value in changes.items()}
    return GgufMetadata("llama", {"llama.context_length": 512} | tokenizer_metadata() | fields)


def test_one_end_is_a_number_and_several_are_a_list() -> None:
    end = vocabulary().index("<|im_end|>")
    assert eos_ids(metadata()) == end == eos_ids(metadata(eot_token_id=end))
    assert eos_ids(metadata(eot_token_id=3, eom_token_id=4)) == [end, 3, 4]


def test_a_part_no_token_plays_is_left_out() -> None:
    assert token_id(metadata(), "padding") is None
    assert "pad_token" not in tokenizer_config(metadata())
    assert tokenizer_config(metadata(padding_token_id=2))["pad_token"] == vocabulary()[2]


@each("wrong", [-1, len(vocabulary()), 2**31])
def test_a_token_there_is_not_is_refused(wrong: int) -> None:
    with pytest.raises(ValueError, match=r"bos_token_id is no token"):
        token_id(metadata(bos_token_id=wrong), "bos")


def test_the_template_is_carried_over() -> None:
    assert "<|start_header_id|>" in tokenizer_config(metadata())["chat_template"]


def test_the_end_is_added_when_the_file_says_so() -> None:
    tokens = make_tokenizer(metadata(add_eos_token=True, add_bos_token=True)).encode("a").tokens
    assert tokens == ["<|begin_of_text|>", "a", "<|im_end|>"]


@each("kind", ["bert", "t5", "rwkv", "plamo2", "none"])
def test_other_kinds_are_refused_by_name(kind: str) -> None:
    with pytest.raises(ValueError, match=f"the tokenizer kind '{kind}' is not supported"):
        make_tokenizer(metadata(model=kind))


@pytest.mark.parametrize("changes", [{"token_type": [1]}, {"tokens": ["a"] * len(vocabulary())}])
def test_what_is_not_complete_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="not complete"):
        make_tokenizer(metadata(**changes))
