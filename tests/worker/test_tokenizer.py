import pytest

from inference.errors import InvalidValue
from tests.adapters.families import byte_tokenizer, hub_tokenizer
from tests.tiny import SPECIAL


def with_ends(single: str) -> object:
    from tokenizers import processors
    from transformers import PreTrainedTokenizerFast

    from inference.worker.tokenizer import HubTokenizer

    rust = byte_tokenizer(SPECIAL)
    ends = [(token, rust.token_to_id(token)) for token in SPECIAL[:2]]
    rust.post_processor = processors.TemplateProcessing(single=single, special_tokens=ends)
    return HubTokenizer(
        PreTrainedTokenizerFast(tokenizer_object=rust, bos_token=SPECIAL[0], eos_token=SPECIAL[1])
    )


def test_special_tokens_written_in_a_text_are_themselves() -> None:
    tokenizer = hub_tokenizer()
    assert tokenizer.encode("<|eot_id|>") == [tokenizer.id_of("<|eot_id|>")]


def test_a_raw_prompt_begins_with_the_begin_of_text_and_has_no_end() -> None:
    tokenizer = with_ends("<|begin_of_text|> $A <|end_of_text|>")
    assert tokenizer.encode_prompt("hi")[0] == tokenizer.id_of("<|begin_of_text|>")  # type: ignore[attr-defined]
    assert tokenizer.encode_prompt("hi")[-1] != tokenizer.id_of("<|end_of_text|>")  # type: ignore[attr-defined]


def test_an_end_that_the_prompt_itself_writes_stays() -> None:
    tokenizer = with_ends("$A")
    assert tokenizer.encode_prompt("hi<|end_of_text|>")[-1] == tokenizer.id_of("<|end_of_text|>")  # type: ignore[attr-defined]


def test_an_empty_prompt_is_refused_where_nothing_begins_a_text() -> None:
    with pytest.raises(InvalidValue) as refusal:
        hub_tokenizer().encode_prompt("")
    assert refusal.value.param == "prompt"


def test_an_unknown_token_has_no_id() -> None:
    assert hub_tokenizer().id_of("<|nothing|>") is None
