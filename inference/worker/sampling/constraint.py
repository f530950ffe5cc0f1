"""Constraints: what limits the tokens that an answer may go on with, one step at a time."""

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

import numpy as np

TokenMask = np.ndarray[Any, np.dtype[np.bool_]]  # shape (vocabulary,), True for each token that may come next


class Matcher(Protocol):
    """The state of one answer under a constraint. Used on the engine's thread only; nothing here raises."""

    def consume(self, token: int) -> None:
        """Advance by the answer's next token."""
        ...

    def allowed_tokens(self, vocabulary: int) -> TokenMask | None:
        """A mask of shape (vocabulary,); None allows all."""
        ...


class Constraint(Protocol):
    """What one request wants of its answers; each of them follows a matcher of its own."""

    def start(self, answered: Sequence[int] = ()) -> Matcher:
        """A matcher for one answer, of which the tokens `answered` exist already."""
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


def only(tokens: Iterable[int], vocabulary: int) -> TokenMask:
    """A mask that allows these tokens alone."""
    allowed = np.zeros(vocabulary, np.bool_)
    allowed[[token for token in tokens if token < vocabulary]] = True
    return allowed


def without(tokens: Iterable[int], vocabulary: int) -> TokenMask:
    """A mask that allows all tokens but these."""
    allowed = np.ones(vocabulary, np.bool_)
    allowed[[token for token in tokens if token < vocabulary]] = False
    return allowed
