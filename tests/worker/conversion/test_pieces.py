"""SentencePiece's BPE through GGUF, next to the real library reading the same pieces."""

import json
from pathlib import Path
from typing import Any

import pytest
import sentencepiece
from tokenizers import Tokenizer

from inference.worker.conversion.metadata import GgufMetadata
from inference.worker.conversion.vocabulary import make_tokenizer

TEXTS = [
    "Hello world, the quick brown fox jumps over the lazy dog.",
    "  two  spaces   and\na\n\nnew line\t tab ",
    "naïve 🙂 👩‍👩‍👧 日本語 中文 한국어",
    "1234567 3.14 10,000",
    "def f(x):\n    return x * 2",
    "a",
    " ",
    "\0\x7f",
]
CORPUS = [
    "the quick brown fox jumps over the lazy dog",
    "hello world and hello again, all of you",
    "numbers 1 2 3 and 1234 and 3.14 are numbers",
    "a new line and two  spaces, the same again",
    "日本語 と 中文 naïve café",
    "def function(x): return x * 2",
] * 20


def train(folder: Path, **options: Any) -> Any:
    (folder / "corpus.txt").write_text("\n".join(CORPUS))
    settings: dict[str, Any] = {
        **{"model_type": "bpe", "vocab_size": 420, "byte_fallback": True, "minloglevel": 2},
        **{"normalization_rule_name": "identity", "remove_extra_whitespaces": False},
        **{"input": str(folder / "corpus.txt"), "model_prefix": str(folder / "pieces")},
    }
    sentencepiece.SentencePieceTrainer.train(**settings | options)
    return sentencepiece.SentencePieceProcessor(model_file=str(folder / "pieces.model"))


def metadata(theirs: Any, **changes: Any) -> dict[str, Any]:
    """What convert_hf_to_gguf.py (_create_vocab_sentencepiece) writes of a SentencePiece model."""
    ids = range(theirs.vocab_size())
    kinds = [
        *(
            2 if theirs.is_unknown(i) else 3 if theirs.is_control(i) else 6 if theirs.is_byte(i) else 1
            for i in ids
        )
    ]
    tokens = [theirs.id_to_piece(i) for i in ids]
    own = [i for i in ids if tokens[i] in ("<start_of_turn>", "▁▁", "▁▁▁", "\n\n")]
    for i in own:
        kinds[i] = 4
    fields = {
        "model": "llama",
        "tokens": tokens,
        "scores": [theirs.get_score(i) for i in ids],
        "token_type": kinds,
        "bos_token_id": theirs.bos_id(),
        "eos_token_id": theirs.eos_id(),
        "unknown_token_id": theirs.unk_id(),
    }
    return {f"tokenizer.ggml.{key}": value for key, value in (fields | changes).items()}


def ours(theirs: Any, **changes: Any) -> Tokenizer:
    tokenizer = make_tokenizer(GgufMetadata("llama", metadata(theirs, **changes)))
    return Tokenizer.from_str(tokenizer.to_str())  # as it comes back from its file


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return train(tmp_path_factory.mktemp("llama"))


@pytest.fixture(scope="module")
def gemma(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """With no space before the text, and symbols of its own."""
    symbols = ["<start_of_turn>", "▁▁", "▁▁▁", "\n\n"]
    folder = tmp_path_factory.mktemp("gemma")
    return train(folder, add_dummy_prefix=False, user_defined_symbols=symbols)


@pytest.mark.parametrize("text", TEXTS)
def test_the_ids_are_sentencepieces_own(llama: Any, text: str) -> None:
    tokenizer = ours(llama)
    assert tokenizer.encode(text, add_special_tokens=False).ids == llama.encode(text)


@pytest.mark.parametrize("text", [*TEXTS, "<start_of_turn>user\n\nhi   there", "a    b     c"])
def test_the_ids_are_the_same_without_a_space_before_the_text(gemma: Any, text: str) -> None:
    tokenizer = ours(gemma, add_space_prefix=False)
    assert tokenizer.encode(text, add_special_tokens=False).ids == gemma.encode(text)


@pytest.mark.parametrize("text", TEXTS)
def test_text_comes_back(llama: Any, gemma: Any, text: str) -> None:
    for tokenizer in (ours(llama), ours(gemma, add_space_prefix=False)):
        assert tokenizer.decode(tokenizer.encode(text).ids) == text


def test_texts_begin_with_the_begin_token_unless_the_file_says_otherwise(llama: Any) -> None:
    assert ours(llama).encode("a").tokens[0] == "<s>"
    assert ours(llama, add_bos_token=False).encode("a").tokens[0] != "<s>"


def test_the_end_is_added_when_the_file_says_so(llama: Any) -> None:
    assert ours(llama, add_eos_token=True).encode("a").tokens[-1] == "</s>"


def test_control_tokens_are_one_token_and_left_out_of_text(llama: Any) -> None:
    tokenizer = ours(llama)
    ids = tokenizer.encode("hello</s>", add_special_tokens=False).ids
    assert ids[-1] == llama.eos_id() and tokenizer.decode(ids) == "hello"


def test_the_decoder_is_one_that_mlx_lm_streams(llama: Any, gemma: Any) -> None:
    from mlx_lm.tokenizer_utils import _is_spm_decoder, _is_spm_decoder_no_space

    assert _is_spm_decoder(json.loads(ours(llama).to_str())["decoder"])
    assert _is_spm_decoder_no_space(json.loads(ours(gemma, add_space_prefix=False).to_str())["decoder"])


@pytest.mark.parametrize("changes", [{"scores": [0.0]}, {"token_type": [1]}, {"unknown_token_id": 10**6}])
def test_what_is_not_complete_is_refused(llama: Any, changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="not complete"):
        ours(llama, **changes)
