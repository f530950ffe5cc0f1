"""Byte-level BPE, which GGUF calls gpt2: how text is cut into words before merging is told by a name only.

The names are llama.cpp's (https://github.com/ggml-org/llama.cpp/blob/master/src/llama-vocab.cpp), the rules
those of the tokenizer.json of the models the names stand for.
"""

from collections.abc import Sequence
from typing import NamedTuple

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers

from inference.worker.conversion.facts import Facts

_REST = r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
_WORDS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+"
_UPPER, _LOWER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
_CASED = rf"[^\r\n\p{{L}}\p{{N}}]?{_UPPER}*{_LOWER}+|[^\r\n\p{{L}}\p{{N}}]?{_UPPER}+{_LOWER}*"


class Cut(NamedTuple):
    """One way of cutting words; without a pattern it is GPT-2's own."""

    pattern: str = ""
    single_digits: bool = False
    composes: bool = False  # characters are put into their composed form (NFC) first
    whole_words: bool = False  # a word that is a token needs no merges
    begins: bool = False  # texts begin with the begin token, unless the file says otherwise


_GPT_2 = Cut()
_LLAMA_3 = Cut(_WORDS + r"|\p{N}{1,3}" + _REST, whole_words=True, begins=True)
_QWEN_2 = Cut(_WORDS + r"|\p{N}" + _REST, composes=True)
_TEKKEN = Cut(_CASED + r"|\p{N}" + _REST.replace(r"[\r\n]*", r"[\r\n/]*", 1), whole_words=True, begins=True)
CUTS = {
    **{"gpt-2": _GPT_2, "gpt2": _GPT_2, "smollm": Cut(single_digits=True)},
    **{"llama-bpe": _LLAMA_3, "llama3": _LLAMA_3, "llama-v3": _LLAMA_3},
    **{"qwen2": _QWEN_2, "deepseek-r1-qwen": _QWEN_2, "tekken": _TEKKEN},
}


def make(facts: Facts, tokens: Sequence[str]) -> Tokenizer:
    """A tokenizer without its special tokens."""
    cut = _cut(facts)
    merges = [tuple(pair.split(" ", 1)) for pair in facts.items("tokenizer.ggml.merges")]
    if not merges:
        raise ValueError("its tokenizer is not complete")
    vocabulary = {token: i for i, token in enumerate(tokens)}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=merges, ignore_merges=cut.whole_words))
    if cut.composes:
        tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = _pre_tokenizer(cut)
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def begins(facts: Facts) -> bool:
    """Whether texts of this kind begin with the begin token where the file does not say."""
    return _cut(facts).begins


def _cut(facts: Facts) -> Cut:
    kind = facts.text("tokenizer.ggml.pre", "unknown")
    if kind not in CUTS:
        raise ValueError(f"the tokenizer's way of cutting words, {kind[:40]!r}, is not supported")
    return CUTS[kind]


def _pre_tokenizer(cut: Cut) -> pre_tokenizers.PreTokenizer:
    by_bytes = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=not cut.pattern)
    if cut.pattern:
        words = pre_tokenizers.Split(Regex(cut.pattern), behavior="isolated")
        return pre_tokenizers.Sequence([words, by_bytes])
    if cut.single_digits:
        return pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), by_bytes])
    return by_bytes
