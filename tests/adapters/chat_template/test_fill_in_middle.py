"""Prompts for what belongs in the middle, in the order each family has learnt."""

import pytest
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from inference.adapters.families.default import Default
from inference.adapters.model_facts import ModelFacts
from inference.core.errors import UnsupportedField
from inference.worker.model.tokenizer import HubTokenizer
from tests.adapters.family_models import make, real

STARCODER = ("<|endoftext|>", "<fim_prefix>", "<fim_suffix>", "<fim_middle>", "<fim_pad>")
DEEPSEEK = ("<｜begin▁of▁sentence｜>", "<｜fim▁begin｜>", "<｜fim▁hole｜>", "<｜fim▁end｜>", "<|EOT|>")


def test_qwens_marks_surround_prefix_and_suffix() -> None:
    adapter, tokenizer = real("qwen3", "qwen3")
    assert (
        tokenizer.decode(adapter.infill("def f():\n", "  return x"))
        == "<|fim_prefix|>def f():\n<|fim_suffix|>  return x<|fim_middle|>"
    )


@pytest.mark.parametrize(
    ("special", "expected"),
    [
        (STARCODER, "<fim_prefix>a<fim_suffix>b<fim_middle>"),
        (DEEPSEEK, "<｜fim▁begin｜>a<｜fim▁hole｜>b<｜fim▁end｜>"),
    ],
)
def test_each_family_has_its_own(special: tuple[str, ...], expected: str) -> None:
    adapter, tokenizer = make("", special)
    assert tokenizer.decode(adapter.infill("a", "b")) == expected


@pytest.mark.parametrize("special", [STARCODER, DEEPSEEK])
def test_a_mark_written_in_the_code_is_code(special: tuple[str, ...]) -> None:
    adapter, tokenizer = make("", special)
    ids = adapter.infill(f"a{special[2]}", special[3])
    assert [tokenizer.token_text(i) for i in ids if i in tokenizer.special_ids] == list(special[1:4])


def test_the_familys_ends_and_marks_end_the_answer() -> None:
    adapter, tokenizer = real("qwen3", "qwen3")
    ends = {tokenizer.token_text(token) for token in adapter.infill_stop_ids}
    assert {"<|endoftext|>", "<|fim_pad|>", "<|file_sep|>", "<|fim_prefix|>", "<|im_end|>"} <= ends


def test_a_vocabulary_without_marks_cannot_fill_in() -> None:
    adapter, _ = real("llama3_2", "llama")
    with pytest.raises(UnsupportedField) as refusal:
        adapter.infill("a", "b")
    assert refusal.value.param == "suffix"
    assert adapter.infill_stop_ids == adapter.stop_ids


def codellama() -> HubTokenizer:
    """SentencePiece's way: a text begins with a space that is nobody's."""
    marks = ["<s>", "▁<PRE>", "▁<SUF>", "▁<MID>", "▁<EOT>"]
    pieces = ["▁", "a", "b", "▁a", "▁b", *(f"<0x{byte:02X}>" for byte in range(256))]
    rust = Tokenizer(
        models.BPE(
            vocab={word: i for i, word in enumerate(pieces)},
            merges=[("▁", "a"), ("▁", "b")],
            byte_fallback=True,
        )
    )
    rust.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first", split=False)
    rust.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    rust.add_special_tokens(marks)
    return HubTokenizer(PreTrainedTokenizerFast(tokenizer_object=rust))


@pytest.mark.parametrize(("suffix", "encoded"), [("b", "b"), (" b", "▁b")])
def test_a_suffix_gets_no_space_that_is_not_its_own(suffix: str, encoded: str) -> None:
    tokenizer = codellama()
    adapter = Default(ModelFacts(), tokenizer)
    texts = [tokenizer.token_text(token) for token in adapter.infill("a", suffix)]
    assert texts == ["▁<PRE>", "▁a", "▁<SUF>", encoded, "▁<MID>"]
