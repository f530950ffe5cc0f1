"""What is left of a distribution: top-k, top-p and min-p on logits of shape (R, V).

R is a number of rows and V the size of the vocabulary. Each row has its own values, in arrays (R, 1).
Dropped tokens get minus infinity. Of equal logits those with the larger ids are kept, which does not
depend on the other rows, unless very many are equal.
"""

from collections.abc import Sequence

import mlx.core as mx

from inference.worker.sampling.constant import column, constant

_CANDIDATES = 1024  # tokens among which the kept ones are searched first
_NO_TOP_P = 2.0  # no probability reaches it


class Truncation:
    """Top-k and top-p of R rows: `top_k` 0 keeps all tokens, and `top_p` 1 does."""

    def __init__(self, top_k: Sequence[int], top_p: Sequence[float], vocabulary: int) -> None:
        limits = [k if 0 < k < vocabulary else vocabulary for k in top_k]
        limited = [limit < vocabulary for limit in limits]
        has_top_p = any(p < 1 for p in top_p)
        self.vocabulary = vocabulary
        self.has_limits, self.are_all_limited = any(limited), all(limited)
        # Rows that surely keep candidates only.
        small = [limit <= _CANDIDATES and limit < vocabulary for limit in limits]
        self.has_small_limit = mx.array([[one] for one in small])
        self.are_limits_small = all(small)
        self.is_limited = mx.array([[one] for one in limited])
        self._dropped = mx.array([[vocabulary - limit] for limit in limits], dtype=mx.int32)
        self._top_p = [p if p < 1 else _NO_TOP_P for p in top_p] if has_top_p else None
        self._is_dropped: dict[int, mx.array] = {}
        self._masses: dict[int, mx.array | None] = {}

    def is_dropped(self, width: int) -> mx.array:
        """Which of so many largest logits in ascending order top-k drops, bool (R, width)."""
        if width not in self._is_dropped:
            places = mx.arange(self.vocabulary - width, self.vocabulary, dtype=mx.int32)
            self._is_dropped[width] = places[None] < self._dropped
        return self._is_dropped[width]

    def top_p(self, width: int) -> mx.array | None:
        """The top-p of each row, float32 (R, width); None if no row has one."""
        if self._top_p and width not in self._masses:
            self._masses[width] = column(self._top_p, width, neutral=_NO_TOP_P)
        return self._masses.get(width)


def keep_top(logits: mx.array, top: Truncation) -> mx.array:
    """Keep the `top_k` largest logits of each row and then the nucleus, (R, V) to (R, V).

    The nucleus is the smallest set whose probability, among what top-k has kept, reaches `top_p`. A CPU takes
    7 ms to sort each row of 49,152, a tenth of a small model's whole step; nearly always the kept tokens lie
    among the top candidates, which are candidates without sorting the rest. Where only the logits can tell,
    it waits for the device.
    """
    is_candidate_search_faster = (
        logits.shape[-1] > 4 * _CANDIDATES and mx.default_device().type == mx.DeviceType.cpu
    )
    if not is_candidate_search_faster:
        return _keep_of_all(logits, top)
    kept, is_found = _keep_of_candidates(logits, top)
    if top.are_limits_small or mx.all(is_found).item():
        return kept
    # Row by row: what a row keeps does not depend on the others.
    return mx.where(is_found, kept, _keep_of_all(logits, top))


def _keep_of_candidates(logits: mx.array, top: Truncation) -> tuple[mx.array, mx.array]:
    """The same, and for which rows it is right, (R, 1): those that keep candidates only."""
    # In the order of their ids, so that equal logits are sorted as among all tokens.
    indices = mx.sort(mx.argpartition(logits, kth=-_CANDIDATES, axis=-1)[:, -_CANDIDATES:], axis=-1)
    candidates = mx.take_along_axis(logits, indices, axis=-1)
    order = mx.argsort(candidates, axis=-1)
    indices, ascending = (mx.take_along_axis(array, order, axis=-1) for array in (indices, candidates))
    ascending, is_found = _keep_largest(ascending, top), top.has_small_limit
    top_p = top.top_p(_CANDIDATES)
    if top_p is not None:
        mass = mx.exp(ascending - _log_sum(logits, ascending, top))
        mass_above = mx.cumsum(mass, axis=-1, reverse=True, inclusive=False)
        has_mass = mass_above[:, :1] + mass[:, :1] >= top_p[:, :1]
        is_found = is_found | (has_mass & mx.logical_not(top.is_limited))
        ascending = _without(mass_above >= top_p, ascending)
    nothing = constant(-mx.inf, logits.shape, logits.dtype)
    return mx.put_along_axis(nothing, indices, ascending, axis=-1), is_found


def _log_sum(logits: mx.array, ascending: mx.array, top: Truncation) -> mx.array:
    """The logarithm of what the probabilities of each row are divided by, (R, 1)."""
    if top.are_all_limited:
        return mx.logsumexp(ascending, axis=-1, keepdims=True)
    of_all = mx.logsumexp(logits, axis=-1, keepdims=True)
    if not top.has_limits:
        return of_all
    return mx.where(top.is_limited, mx.logsumexp(ascending, axis=-1, keepdims=True), of_all)


def _keep_of_all(logits: mx.array, top: Truncation) -> mx.array:
    order = mx.argsort(logits, axis=-1)
    ascending = _keep_largest(mx.take_along_axis(logits, order, axis=-1), top)
    top_p = top.top_p(top.vocabulary)
    if top_p is not None:
        # For each token the probability of all likelier ones; it is dropped if that reaches top_p.
        mass_above = mx.cumsum(mx.softmax(ascending, axis=-1), axis=-1, reverse=True, inclusive=False)
        ascending = _without(mass_above >= top_p, ascending)
    # Select by index and not by value: half precision has many equal values, and all would be kept.
    return mx.put_along_axis(logits, order, ascending, axis=-1)


def _keep_largest(ascending: mx.array, top: Truncation) -> mx.array:
    """Top-k of the largest logits in ascending order, (R, any number)."""
    if not top.has_limits:
        return ascending
    return _without(top.is_dropped(ascending.shape[-1]), ascending)


def keep_min_p(logits: mx.array, log_min_p: mx.array) -> mx.array:
    """Keep the tokens with at least `min_p` times their row's largest probability, (R, V) to (R, V).

    `log_min_p` is its logarithm, of shape (R, 1) or (); minus infinity keeps all tokens.
    """
    return _without(logits < mx.max(logits, axis=-1, keepdims=True) + log_min_p, logits)


def _without(is_dropped: mx.array, logits: mx.array) -> mx.array:
    """The logits, (R, any number), with minus infinity for what is dropped."""
    return mx.where(is_dropped, constant(-mx.inf, logits.shape, logits.dtype), logits)
