"""Constraints: what limits the tokens that an answer may go on with, one step at a time."""

from collections.abc import Iterable
from functools import lru_cache
from typing import Any, Protocol

import numpy as np

TokenSet = frozenset[int] | tuple[int, ...]
TokenMask = np.ndarray[Any, np.dtype[np.bool_]]  # shape (vocabulary,), True for each token that may come next


class Matcher(Protocol):
    """The state of one answer under a constraint. Used on the engine's thread only; nothing here raises."""

    def consume(self, token: int) -> None:
        """Advance by the answer's next token."""
        ...

    def allowed_tokens(self, vocabulary: int) -> TokenMask | None:
        """A mask of shape (vocabulary,); None allows all."""
        ...

    def fork(self) -> "Matcher":
        """A matcher in the same state, which advances by itself."""
        ...


def combined(masks: Iterable[TokenMask | None]) -> TokenMask | None:
    """What all masks allow. Where that is nothing, the later mask counts alone."""
    allowed: TokenMask | None = None
    for mask in masks:
        if mask is None:
            continue
        both = mask if allowed is None else allowed & mask
        allowed = both if both.any() else mask
    return allowed


@lru_cache(maxsize=32)
def only(tokens: TokenSet, vocabulary: int) -> TokenMask:
    """A mask that allows these tokens alone. It is shared, and not to be written to."""
    return _mask(tokens, vocabulary, is_allowed=True)


@lru_cache(maxsize=32)
def without(tokens: TokenSet, vocabulary: int) -> TokenMask:
    """A mask that allows all tokens but these. It is shared, and not to be written to."""
    return _mask(tokens, vocabulary, is_allowed=False)


def _mask(tokens: TokenSet, vocabulary: int, *, is_allowed: bool) -> TokenMask:
    mask = np.full(vocabulary, not is_allowed)
    mask[[token for token in tokens if token < vocabulary]] = is_allowed
    mask.flags.writeable = False
    return mask
