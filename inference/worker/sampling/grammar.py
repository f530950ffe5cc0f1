"""Constrained decoding: which tokens an answer to a JSON schema or a required tool call may continue with.

A request's grammar is compiled once, on the prompt thread (grammar_compiler.py). Each of its sequences
follows a copy on the engine's thread. llguidance computes the masks (https://github.com/guidance-ai/llguidance).
"""

import copy
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import mlx.core as mx
import numpy as np
from llguidance import LLMatcher

from inference.worker.sampling.constraint import TokenMask, only, without
from inference.worker.sampling.grammar_errors import first_line

logger = logging.getLogger(__name__)
_TAIL_TOKENS = 48  # no marker of reasoning or calls is longer, not even byte by byte
_DEAD_END = (
    "The answer has come to a place where nothing follows the schema: it contradicts itself there, or has "
    "become too complex to be enforced. Simplify it."
)


@dataclass(frozen=True)
class GrammarFailure:
    """Why an answer cannot follow its grammar any further, and which field asked for it."""

    message: str
    param: str


@dataclass(frozen=True)
class Grammar:
    """The compiled grammar of one request, and where in an answer it begins."""

    matcher: LLMatcher
    decode: Callable[[Sequence[int]], str]
    encode: Callable[[str], list[int]]
    stop_ids: frozenset[int] = frozenset()  # they may not end the reasoning
    opening: int | None = None  # the token that opens a reasoning, which may come before the grammar
    closing: str = ""  # the marker that ends the reasoning
    starts_inside: bool = False  # whether the prompt has opened the reasoning
    trigger: str = ""  # a call's first marker: the text before it is free
    names: tuple[str, ...] = ()  # without a trigger: texts that distinguish a call from other text
    field: str = ""  # the request field that asks for the grammar

    def start(self, answered: Sequence[int] = ()) -> "GrammarMatcher":
        """A matcher for one answer, of which the tokens `answered` exist already."""
        matcher = GrammarMatcher(self)
        for token in answered:
            matcher.consume(token)
        return matcher


class GrammarMatcher:
    """The state of one answer in its grammar. Used on the engine's thread only.

    An answer has up to three phases:

    1. Reasoning, until its closing marker: every token is allowed, but those that end the answer.
    2. Free text, until the first marker of a call: every token is allowed. Calls without a marker are known
       by their beginning: the answer is a call once it names a tool and is all that the grammar allows.
    3. The grammar: the tokens that llguidance allows.

    Neither `consume` nor `allowed_tokens` raises, because all sequences share a step. In a dead end, or when
    the grammar has become too complex, only the stop tokens are allowed, and `failure` has the reason.
    """

    def __init__(self, grammar: Grammar) -> None:
        self.failure: GrammarFailure | None = None
        self._grammar = grammar
        self._matcher = grammar.matcher.deep_copy()
        self._is_reasoning = grammar.starts_inside
        self._is_free = bool(grammar.trigger or grammar.names)
        self._trial = self._matcher.deep_copy() if grammar.names else None  # None: the answer is no call
        self._text = ""
        self._is_first_token = True
        self._tail: list[int] = []

    def consume(self, token: int) -> None:
        """Advance by the answer's next token."""
        if self.failure:
            return
        if self._is_first_token and token == self._grammar.opening:
            self._is_reasoning = True
        elif self._is_reasoning:
            self._read_reasoning(token)
        elif self._is_free:
            self._read_free_text(token)
        else:
            self._matcher.consume_token(token)
        self._is_first_token = False

    def fork(self) -> "GrammarMatcher":
        """A matcher in the same state, which advances by itself."""
        other = copy.copy(self)  # its tail is replaced, never written to
        other._matcher = self._matcher.deep_copy()
        other._trial = self._trial.deep_copy() if self._trial else None
        return other

    def allowed_tokens(self, vocabulary: int) -> TokenMask | None:
        """A mask of shape (vocabulary,), True for each token that may come next; None allows all."""
        if self.failure:
            return self._stop_tokens_only(vocabulary)
        if self._is_reasoning:
            return self._reasoning_mask(vocabulary)
        if self._is_free:
            return None
        bits = np.frombuffer(self._matcher.compute_bitmask(), np.uint8)
        allowed = np.unpackbits(bits, bitorder="little")[:vocabulary].astype(np.bool_)
        if self._matcher.is_error() or not allowed.any():
            logger.warning("An answer cannot follow its grammar: %s", first_line(self._matcher.get_error()))
            self.failure = GrammarFailure(_DEAD_END, self._grammar.field)
            return self._stop_tokens_only(vocabulary)
        if self._is_first_token and self._grammar.opening is not None:
            allowed[self._grammar.opening] = True
        return allowed

    def _stop_tokens_only(self, vocabulary: int) -> TokenMask:
        return only(self._grammar.stop_ids, vocabulary)

    def _reasoning_mask(self, vocabulary: int) -> TokenMask | None:
        # An answer of reasoning only would not follow the grammar.
        return None if self._is_free else without(self._grammar.stop_ids, vocabulary)

    def _read_reasoning(self, token: int) -> None:
        rest = self._text_after(self._grammar.closing, token)
        if rest is None:
            return
        self._is_reasoning = False
        # The token that closes the reasoning may also contain the beginning of the answer.
        self._tail = [token] if rest else []
        if rest.strip() and not self._is_free:
            self._matcher.consume_tokens(self._grammar.encode(rest.lstrip()))

    def _read_beginning(self, token: int) -> None:
        """Decide by what has been written so far whether the answer is a call."""
        if self._trial is None:
            return
        was_blank, self._tail = not self._text.strip(), [*self._tail, token]
        self._text = self._grammar.decode(self._tail)
        if not self._text.strip():
            return
        begun = self._grammar.encode(self._text.lstrip()) if was_blank else [token]
        if self._trial.try_consume_tokens(begun) < len(begun):
            self._trial = None
        elif any(name in self._text for name in self._grammar.names):
            self._matcher, self._is_free = self._trial, False

    def _read_free_text(self, token: int) -> None:
        if self._grammar.names:
            self._read_beginning(token)
            return
        rest = self._text_after(self._grammar.trigger, token)
        if rest is not None:
            self._is_free = False
            self._matcher.consume_tokens(self._grammar.encode(self._grammar.trigger + rest))

    def _text_after(self, marker: str, token: int) -> str | None:
        """The text after `marker` once this token has completed it, else None."""
        self._tail = [*self._tail, token][-_TAIL_TOKENS:]
        _, found, rest = self._grammar.decode(self._tail).rpartition(marker)
        return rest if found else None


def mask(logits: mx.array, allowed: TokenMask | None) -> mx.array:
    """Logits of shape (1, vocabulary) with minus infinity for every token that is not allowed."""
    if allowed is None:
        return logits
    return mx.where(mx.array(allowed), logits, mx.array(-mx.inf, logits.dtype))
