"""Byte-level tokenizers through GGUF, next to tokenizers built as the models' own tokenizer.json has them."""

import json
from typing import Any

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

from inference.worker.conversion.byte_level import SPLIT_RULES
from inference.worker.conversion.metadata import GgufMetadata
from inference.worker.conversion.vocabulary import make_tokenizer
from tests.each import each

# The patterns as tokenizer.json of each model has them, or for GPT-2 its byte-level rule.
LLAMA_3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
    r"|\s+(?!\S)|\s+"
)
QWEN_2 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
    r"|\s+(?!\S)|\s+"
)
TEKKEN = (
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"
    r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
ORIGINALS: dict[str, dict[str, Any]] = {
    "gpt-2": {"steps": []},
    "smollm": {"steps": [{"type": "Digits", "individual_digits": True}]},
    "llama-bpe": {"pattern": LLAMA_3, "ignore_merges": True},
    "qwen2": {"pattern": QWEN_2, "normalizer": {"type": "NFC"}},
    "tekken": {"pattern": TEKKEN, "ignore_merges": True},
}
CORPUS = [
    "Hello world, I'll say it'S 1234567 times: don't you?  And again, and again.",
    "def function(x):\n    return x * 2 // 3  # a comment\r\n\r\n\tindented",
    "naïve café, e\u0301te\u0301, ＦＵＬＬ, ǅ, 日本語の文章 中文句子 한국어 🙂 👩‍👩‍👧",
    "camelCase HTTPServer XMLHttpRequest iPhone path/to/file.txt\n\n\n",
    "3.14 10,000 2024-01-02 ١٢٣ ½",
] * 4
TEXTS = [*CORPUS[:5], "  leading", "trailing  ", "\n", " ", "", "a\u0301\u0323", "don'T 'LL x'll", "\0\x7f"]


def original(kind: str) -> Tokenizer:
    """Trained on the corpus, cut as the original cuts."""
    its = ORIGINALS[kind]
    steps = its.get("steps", [])
    if "pattern" in its:
        split = {
            "type": "Split",
            "pattern": {"Regex": its["pattern"]},
            "behavior": "Isolated",
            "invert": False,
        }
        steps = [split]
    by_bytes = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True}
    tokenizer = Tokenizer(models.BPE())
    fields = json.loads(tokenizer.to_str())
    last = by_bytes | {"use_regex": "pattern" not in its}
    fields["pre_tokenizer"] = {"type": "Sequence", "pretokenizers": [*steps, last]}
    fields["normalizer"] = its.get("normalizer")
    tokenizer = Tokenizer.from_str(json.dumps(fields))
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    special = ["<|begin|>", "<|end|>"]
    trainer = trainers.BpeTrainer(vocab_size=420, initial_alphabet=alphabet, special_tokens=special)
    tokenizer.train_from_iterator(CORPUS, trainer)
    fields = json.loads(tokenizer.to_str())
    fields["model"]["ignore_merges"] = its.get("ignore_merges", False)
    return Tokenizer.from_str(json.dumps(fields))


def metadata(theirs: Tokenizer, kind: str, **changes: Any) -> dict[str, Any]:
    model = json.loads(theirs.to_str())["model"]
    tokens = sorted(model["vocab"], key=lambda token: model["vocab"][token])
    fields = {
        **{"model": "gpt2", "pre": kind, "tokens": tokens, "bos_token_id": 0, "eos_token_id": 1},
        "token_type": [3 if token.startswith("<|") else 1 for token in tokens],
        "merges": [" ".join(pair) for pair in model["merges"]],
    }
    return {f"tokenizer.ggml.{key}": value for key, value in (fields | changes).items()}


def ours(theirs: Tokenizer, kind: str, **changes: Any) -> Tokenizer:
    tokenizer = make_tokenizer(GgufMetadata("llama", metadata(theirs, kind, **changes)))
    return Tokenizer.from_str(tokenizer.to_str())  # as it comes back from its file


@each("kind", ORIGINALS)
def test_the_ids_are_the_originals(kind: str) -> None:
    theirs = original(kind)
    tokenizer = ours(theirs, kind)
    for text in TEXTS:
        assert tokenizer.encode(text, add_special_tokens=False).ids == theirs.encode(text).ids, text


@each("kind", ORIGINALS)
def test_text_comes_back(kind: str) -> None:
    tokenizer = ours(original(kind), kind)
    composed = [text for text in TEXTS if "\u0301" not in text]
    assert [tokenizer.decode(tokenizer.encode(text).ids) for text in composed] == composed


def test_a_word_that_is_a_token_needs_no_merges() -> None:
    """Llama 3 has such words; its tokenizer.json says ignore_merges."""
    theirs = original("llama-bpe")
    fields = metadata(theirs, "llama-bpe")
    fields["tokenizer.ggml.tokens"].append("qqqq")
    fields["tokenizer.ggml.token_type"].append(1)
    whole = make_tokenizer(GgufMetadata("llama", fields))
    assert whole.encode("qqqq", add_special_tokens=False).tokens == ["qqqq"]
    merged = make_tokenizer(GgufMetadata("llama", fields | {"tokenizer.ggml.pre": "qwen2"}))
    assert merged.encode("qqqq", add_special_tokens=False).tokens == ["q"] * 4


@each(("kind", "adds_bos"), [("llama-bpe", True), ("tekken", True), ("qwen2", False)])
def test_texts_begin_as_the_kind_does_unless_the_file_says_otherwise(kind: str, adds_bos: bool) -> None:
    theirs = original(kind)
    assert (ours(theirs, kind).encode("a").ids[0] == 0) is adds_bos
    assert ours(theirs, kind, add_bos_token=True).encode("a").ids[0] == 0
    assert ours(theirs, kind, add_bos_token=False).encode("a").ids[0] != 0


@each("kind", ["default", "deepseek-llm", "", "x" * 100])
def test_another_way_of_cutting_is_refused_by_its_name(kind: str) -> None:
    with pytest.raises(ValueError, match=f"pre-tokenizer '{kind[:40]}' is not supported"):
        ours(original("gpt-2"), kind)


def test_every_way_has_an_original() -> None:
    assert {SPLIT_RULES[kind] for kind in ORIGINALS} == set(SPLIT_RULES.values())
