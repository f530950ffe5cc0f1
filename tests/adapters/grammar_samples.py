"""Random samples of a grammar, with fragments of the format's markers in them."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from llguidance import LLMatcher, LLTokenizer

from inference.adapters.tool_calls.tool_format import ToolFormat
from inference.worker.model.tokenizer import HubTokenizer
from tests.adapters.family_models import hub_tokenizer

END = "<|the_end|>"
_TOKENS = 160  # after these the sample is closed as soon as possible
_MOST = 4000


@dataclass(frozen=True)
class Vocabulary:
    """Bytes, the end of an answer, and perhaps markers as tokens of their own."""

    tokenizer: HubTokenizer
    grammars: LLTokenizer
    marks: tuple[int, ...]

    @property
    def end(self) -> int:
        end = self.tokenizer.id_of(END)
        assert end is not None
        return end

    def spelt(self, text: str) -> list[int]:
        """The tokens of `text` byte by byte, without those of markers."""
        return [token for char in text for token in self.tokenizer.encode(char)]


@lru_cache(maxsize=64)
def vocabulary(*marks: str) -> Vocabulary:
    tokenizer = hub_tokenizer(None, (END, *marks), bos_token=END)
    ids, end = [tokenizer.id_of(mark) for mark in marks], tokenizer.id_of(END)
    assert end is not None
    grammars = LLTokenizer(tokenizer.as_json(), eos_token=[end])
    return Vocabulary(tokenizer, grammars, tuple(one for one in ids if one is not None))


def fragments_of(call_format: ToolFormat, names: Sequence[str]) -> list[str]:
    """Parts of markers that could be mistaken for a part of a call; complete markers occur more often."""
    own = {
        name: getattr(call_format, name, "")
        for name in ("opening", "argument", "value_end", "closing_text", "quote")
    }
    own = {key: text.format(name=names[0], key=names[-1], string="true") for key, text in own.items()}
    ended = own["value_end"] + own["closing_text"]
    whole = {*own.values(), ended, ended + call_format.end, own["value_end"] + own["argument"]}
    whole |= {own["argument"] + "1" + own["value_end"], own["quote"] + ",a:" + own["quote"]}
    marks = {
        *call_format.marks,
        *call_format.closing,
        call_format.begin,
        call_format.end,
        *call_format.other_begins,
    }
    parts = {part for mark in marks | whole for part in (mark[: len(mark) // 2], mark[1:], mark.strip())}
    plain = ['"', "'", "\\", "\n", " ", ", ", "{", "}", "[", "]", "(", ")", ":", "=", "é", "😀", "\u2028"]
    vocab = ["null", "true", "None", "12345", "1e5", " 7", '{"a": 1}', '["x"]', "'q'", *names]
    often = sorted(whole | marks) * 4
    return [fragment for fragment in [*often, *sorted(parts), *plain, *vocab] if fragment]


def closers_of(call_format: ToolFormat) -> list[str]:
    """What can end a text of this format."""
    own = [getattr(call_format, name, "") for name in ("value_end", "closing_text", "quote", "end")]
    return [*filter(None, own), '"', "}", "]", ")"]


class GrammarSampler:
    """Draws one answer; the same seed gives the same answer."""

    def __init__(
        self,
        vocab: Vocabulary,
        matcher: LLMatcher,
        seed: int,
        fragments: Sequence[str],
        closers: Sequence[str],
    ) -> None:
        self._vocab = vocab
        self._matcher = matcher.deep_copy()
        self._random = random.Random(seed)  # noqa: S311
        self._fragments = [vocab.spelt(fragment) for fragment in fragments]
        self._closers = [[vocab.end], *map(vocab.spelt, closers), *map(vocab.tokenizer.encode, closers)]

    def answer(self) -> list[int]:
        tokens: list[int] = []
        while not tokens or tokens[-1] != self._vocab.end:
            assert len(tokens) < _MOST
            tokens += self._next(is_late=len(tokens) > _TOKENS)
        return tokens[:-1]

    def _next(self, *, is_late: bool) -> list[int]:
        if is_late and (output := self._closed()):
            return output
        if not is_late and self._random.random() < 0.5:
            fragment = self._random.choice(self._fragments)
            if count := self._matcher.try_consume_tokens(fragment):
                return fragment[:count]
        token = self._any(is_late)
        assert self._matcher.consume_token(token), self._matcher.get_error()
        return [token]

    def _closed(self) -> list[int]:
        for closer in self._random.sample(self._closers, len(self._closers)):
            trial = self._matcher.deep_copy()
            if trial.try_consume_tokens(closer) == len(closer) and not trial.is_error():
                self._matcher = trial
                return closer
        return []

    def _any(self, is_late: bool) -> int:
        bits = np.unpackbits(np.frombuffer(self._matcher.compute_bitmask(), np.uint8), bitorder="little")
        allowed = bits.nonzero()[0].tolist()
        assert allowed and not self._matcher.is_error(), self._matcher.get_error()
        few = [token for token in allowed if token in self._vocab.marks or token == self._vocab.end]
        is_mark = bool(few) and not is_late and self._random.random() < 0.3
        return int(self._random.choice(few if is_mark else allowed))
