"""Fill in the middle: the tokens between which code models were shown what is before and after a gap."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, Self

# Before the prefix, before the suffix, before the answer; what ends an answer.
_MARKS: tuple[tuple[tuple[str, str, str], tuple[str, ...]], ...] = (
    (  # https://github.com/QwenLM/Qwen2.5-Coder#3-file-level-code-completion-fill-in-the-middle and CodeGemma
        ("<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>"),
        ("<|endoftext|>", "<|fim_pad|>", "<|file_sep|>", "<|repo_name|>", "<|file_separator|>"),
    ),
    (  # https://huggingface.co/bigcode/starcoder2-3b
        ("<fim_prefix>", "<fim_suffix>", "<fim_middle>"),
        ("<|endoftext|>", "<fim_pad>", "<file_sep>", "<repo_name>"),
    ),
    (  # https://huggingface.co/codellama/CodeLlama-7b-hf
        ("▁<PRE>", "▁<SUF>", "▁<MID>"),
        ("▁<EOT>",),
    ),
    (  # https://github.com/deepseek-ai/DeepSeek-Coder#2-code-insertion: the hole is where the suffix begins
        ("<｜fim▁begin｜>", "<｜fim▁hole｜>", "<｜fim▁end｜>"),
        ("<|EOT|>", "<｜end▁of▁sentence｜>"),
    ),
)
# A text of its own begins with a space in a vocabulary of the sentencepiece kind; behind this it does not.
_BEFORE = "☺"


class Vocabulary(Protocol):
    """What infilling needs of a tokenizer."""

    @property
    def begin_ids(self) -> list[int]: ...

    def encode(self, text: str) -> list[int]: ...

    def quote(self, text: str) -> str: ...

    def id_of(self, token: str) -> int | None: ...

    def decode(self, ids: Sequence[int]) -> str: ...


@dataclass(frozen=True)
class Infilling:
    """One vocabulary's marks, as token ids."""

    marks: tuple[int, int, int]
    stop_ids: frozenset[int]
    vocabulary: Vocabulary

    @classmethod
    def of(cls, vocabulary: Vocabulary) -> Self | None:
        """The marks that this vocabulary has, or None."""
        for names, ends in _MARKS:
            before, after, middle = (vocabulary.id_of(name) for name in names)
            if before is not None and after is not None and middle is not None:
                stops = {end for name in ends if (end := vocabulary.id_of(name)) is not None}
                marks = (before, after, middle)
                return cls(marks, frozenset({*stops, *marks}), vocabulary)
        return None

    def prompt(self, prefix: str, suffix: str) -> list[int]:
        """The token ids of prefix and suffix, each behind its mark, up to where the answer begins."""
        before, after, middle = self.marks
        return [
            *self.vocabulary.begin_ids,
            before,
            *self._ordinary(prefix),
            after,
            *self._ordinary(suffix),
            middle,
        ]

    def _ordinary(self, text: str) -> list[int]:
        """`text` without control tokens, and without the space that is not its own."""
        encode, quote = self.vocabulary.encode, self.vocabulary.quote
        ids = encode(quote(text))
        if not ids or self.vocabulary.decode(ids) == text:
            return ids
        start, behind = encode(_BEFORE), encode(_BEFORE + quote(text))
        return behind[len(start) :] if behind[: len(start)] == start else ids
