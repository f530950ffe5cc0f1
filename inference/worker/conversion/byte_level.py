"""Byte-level BPE, which GGUF calls gpt2. GGUF names the pre-tokenizer without its pattern.

The names are llama.cpp's (https://github.com/ggml-org/llama.cpp/blob/master/src/llama-vocab.cpp), the
patterns those in the tokenizer.json of the named models.
"""

from collections.abc import Sequence
from typing import NamedTuple

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers

from inference.worker.conversion.metadata import GgufMetadata

_REST = r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
_WORDS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+"
_UPPER, _LOWER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
_CASED = rf"[^\r\n\p{{L}}\p{{N}}]?{_UPPER}*{_LOWER}+|[^\r\n\p{{L}}\p{{N}}]?{_UPPER}+{_LOWER}*"


class SplitRule(NamedTuple):
    """The pre-tokenizer of a model family; without a pattern it is that of GPT-2."""

    pattern: str = ""
    single_digits: bool = False
    normalizes: bool = False  # whether text is normalised to NFC first
    whole_words: bool = False  # whether a word that is a token is used without merges
    adds_bos: bool = False  # whether texts begin with the BOS token unless the file says otherwise


_GPT_2 = SplitRule()
_LLAMA_3 = SplitRule(_WORDS + r"|\p{N}{1,3}" + _REST, whole_words=True, adds_bos=True)
_QWEN_2 = SplitRule(_WORDS + r"|\p{N}" + _REST, normalizes=True)
_TEKKEN = SplitRule(
    _CASED + r"|\p{N}" + _REST.replace(r"[\r\n]*", r"[\r\n/]*", 1), whole_words=True, adds_bos=True
)
SPLIT_RULES = {
    **{"gpt-2": _GPT_2, "gpt2": _GPT_2, "smollm": SplitRule(single_digits=True)},
    **{"llama-bpe": _LLAMA_3, "llama3": _LLAMA_3, "llama-v3": _LLAMA_3},
    **{"qwen2": _QWEN_2, "deepseek-r1-qwen": _QWEN_2, "tekken": _TEKKEN},
}


def make(metadata: GgufMetadata, tokens: Sequence[str]) -> Tokenizer:
    """The tokenizer without its special tokens; raises ValueError for an unknown or incomplete one."""
    rule = _split_rule(metadata)
    merges = [tuple(pair.split(" ", 1)) for pair in metadata.items("tokenizer.ggml.merges")]
    if not merges:
        raise ValueError("its tokenizer is not complete")
    vocabulary = {token: i for i, token in enumerate(tokens)}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=merges, ignore_merges=rule.whole_words))
    if rule.normalizes:
        tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = _pre_tokenizer(rule)
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def adds_bos(metadata: GgufMetadata) -> bool:
    """Whether texts begin with the BOS token if the file does not say."""
    return _split_rule(metadata).adds_bos


def _split_rule(metadata: GgufMetadata) -> SplitRule:
    kind = metadata.text("tokenizer.ggml.pre", "unknown")
    if kind not in SPLIT_RULES:
        raise ValueError(f"the pre-tokenizer {kind[:40]!r} is not supported")
    return SPLIT_RULES[kind]


def _pre_tokenizer(rule: SplitRule) -> pre_tokenizers.PreTokenizer:
    by_bytes = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=not rule.pattern)
    if rule.pattern:
        words = pre_tokenizers.Split(Regex(rule.pattern), behavior="isolated")
        return pre_tokenizers.Sequence([words, by_bytes])
    if rule.single_digits:
        return pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), by_bytes])
    return by_bytes
