"""Fill in the middle: the tokens that mark the text before and after a gap for code models."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, Self

# The tokens before the prefix, the suffix and the answer; the tokens that end an answer.
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
# A SentencePiece vocabulary adds a space at the start of each text. CodeLlama was trained on prefixes with it
# and suffixes without (codellama, llama/generation.py: infilling_prompt_tokens).
_BEFORE = "☺"


class InfillVocabulary(Protocol):
    """What fill in the middle needs of a tokenizer."""

    @property
    def begin_ids(self) -> list[int]: ...

    def encode(self, text: str) -> list[int]: ...

    def quote(self, text: str) -> str: ...

    def id_of(self, token: str) -> int | None: ...

    def decode(self, ids: Sequence[int]) -> str: ...


@dataclass(frozen=True)
class Infilling:
    """The markers of one vocabulary, as token ids, and the tokens that end an answer."""

    marks: tuple[int, int, int]
    stop_ids: frozenset[int]
    vocabulary: InfillVocabulary

    @classmethod
    def of(cls, vocabulary: InfillVocabulary) -> Self | None:
        """The markers that this vocabulary has; None if it has none."""
        for names, ends in _MARKS:
            before, after, middle = (vocabulary.id_of(name) for name in names)
            if before is not None and after is not None and middle is not None:
                stops = {end for name in ends if (end := vocabulary.id_of(name)) is not None}
                marks = (before, after, middle)
                return cls(marks, frozenset({*stops, *marks}), vocabulary)
        return None

    def prompt(self, prefix: str, suffix: str) -> list[int]:
        """The token ids of prefix and suffix, each behind its marker, up to where the answer begins."""
        before, after, middle = self.marks
        start = self._encode(prefix)
        return [
            *self.vocabulary.begin_ids,
            before,
            *start,
            after,
            *self._encode_without_space(suffix),
            middle,
        ]

    def _encode(self, text: str) -> list[int]:
        return self.vocabulary.encode(self.vocabulary.quote(text))

    def _encode_without_space(self, text: str) -> list[int]:
        start = self._encode(_BEFORE)
        if self.vocabulary.decode([*start, *self._encode("a")]) == f"{_BEFORE}a":
            return self._encode(text)
        return self._encode(_BEFORE + text)[len(start) :]
