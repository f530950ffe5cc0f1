"""The layers of a model that adapters change, each row by its own (https://arxiv.org/abs/2311.03285).

A changed layer computes y = base(x) + (x A[row]) B[row], with the adapter's scale in B. The factors of all
loaded adapters lie in stacks, A (S, inputs, rank) and B (S, rank, outputs), one stack for each padded rank
and type, and `gather_mm` takes from them what each row needs. A pass in which no row has an adapter costs one
look; one in which all rows have the same costs two plain products.

DoRA (https://arxiv.org/abs/2402.09353) also scales each output of the changed layer by a `gain`: with y of
the base, y * gain + shift + (x A) B, where `shift` keeps the bias as it was and B has the gain in it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import mlx.core as mx
import mlx.nn as nn

from inference.worker.lora.rows import AdapterPlaces, Rows, current


@dataclass(frozen=True)
class Factors:
    """One adapter's change of a layer: `a` (inputs, rank), `b` (rank, outputs), DoRA's vectors (outputs,).

    A layer with experts has them for each: `a` (experts, inputs, rank), `b` (experts, rank, outputs).
    """

    a: mx.array
    b: mx.array
    gain: mx.array | None = None
    shift: mx.array | None = None

    @property
    def kind(self) -> tuple[Any, ...]:
        """Factors of one kind can be stacked."""
        return self.a.shape[-1], self.a.dtype, self.gain is not None

    @property
    def arrays(self) -> list[mx.array]:
        return [array for array in (self.a, self.b, self.gain, self.shift) if array is not None]


class Stack:
    """The factors of several adapters of one kind, stacked in the order of `keys`."""

    def __init__(self, factors: dict[str, Factors]) -> None:
        self.keys = tuple(factors)
        ours = list(factors.values())
        self.a = mx.stack([one.a for one in ours])
        self.b = mx.stack([one.b for one in ours])
        self.gain = _stacked([one.gain for one in ours])
        self.shift = _stacked([one.shift for one in ours])
        mx.eval(self.arrays)

    @property
    def arrays(self) -> list[mx.array]:
        return [array for array in (self.a, self.b, self.gain, self.shift) if array is not None]

    def factors(self, key: str) -> Factors:
        """Those of one adapter: views of the stack."""
        at = self.keys.index(key)
        gain, shift = (None if whole is None else whole[at, 0] for whole in (self.gain, self.shift))
        return Factors(self.a[at], self.b[at], gain, shift)

    def change(self, x: mx.array, y: mx.array, places: AdapterPlaces) -> mx.array:
        """`y` of the base layer as the rows' adapters change it; `x` (B, ..., inputs)."""
        if places.alone is not None:
            at = places.alone
            return self._scaled(y, self._vectors(slice(at, at + 1)), None) + as_type(
                y, (x @ self.a[at]) @ self.b[at]
            )
        rows = len(places.indices)
        inner = gathered(x.reshape(rows, -1, x.shape[-1]), self.a, places)
        added = mx.gather_mm(inner, self.b, rhs_indices=places.indices)
        scaled = self._scaled(y.reshape(rows, -1, y.shape[-1]), self._vectors(places.indices), places.mask)
        return (scaled + as_type(y, added)).reshape(y.shape)

    def _vectors(self, at: Any) -> tuple[mx.array, mx.array] | None:
        return (self.gain[at], self.shift[at]) if self.gain is not None and self.shift is not None else None

    def _scaled(
        self, y: mx.array, vectors: tuple[mx.array, mx.array] | None, mask: mx.array | None
    ) -> mx.array:
        if vectors is None:
            return y
        gain, shift = vectors
        scaled = as_type(y, y * gain + shift)
        return scaled if mask is None else mx.where(mask, scaled, y)


class Changed(nn.Module):  # type: ignore[misc]  # MLX's Module is not typed
    """A layer of the model with what the loaded adapters change in it."""

    def __init__(self, base: nn.Module) -> None:
        super().__init__()
        self.base = base
        # Once more beside MLX's store of layers, which takes Python longer to read than a row without an
        # adapter should cost.
        object.__setattr__(self, "_plain", base)
        self._stacks: list[Stack] = []

    def __getattr__(self, name: str) -> Any:
        # A few of mlx-lm's models read a layer's `weight`, its type for example, beside calling it.
        if name in self:
            return self[name]
        if "base" not in self:
            raise AttributeError(name)
        return getattr(self["base"], name)

    def put(self, factors: dict[str, Factors]) -> None:
        """Add adapters; one of a key that is there is replaced."""
        self._rebuild({**self._all(), **factors})

    def remove(self, keys: Sequence[str]) -> None:
        self._rebuild({key: factors for key, factors in self._all().items() if key not in keys})

    @property
    def keys_of_adapters(self) -> tuple[str, ...]:
        return tuple(key for stack in self._stacks for key in stack.keys)

    def _all(self) -> dict[str, Factors]:
        return {key: stack.factors(key) for stack in self._stacks for key in stack.keys}

    def _rebuild(self, factors: dict[str, Factors]) -> None:
        kinds = dict.fromkeys(one.kind for one in factors.values())
        self._stacks = [
            Stack({key: one for key, one in factors.items() if one.kind == kind}) for kind in kinds
        ]

    def _used(self, rows: Rows) -> list[tuple[Stack, AdapterPlaces]]:
        """The stacks in which a row finds its adapter."""
        found = [(stack, rows.places(stack.keys)) for stack in self._stacks]
        return [(stack, places) for stack, places in found if not places.is_empty]


class ChangedLinear(Changed):
    """A Linear or QuantizedLinear."""

    def __call__(self, x: mx.array) -> mx.array:
        y: mx.array = self._plain(x)
        if (rows := current()) is None:
            return y
        for stack, places in self._used(rows):
            y = stack.change(x, y, places)
        return y


class ChangedEmbedding(Changed):
    """An Embedding or QuantizedEmbedding: A has a row for each token id."""

    def __call__(self, ids: mx.array) -> mx.array:
        # What an adapter changes are the embeddings of tokens; those of pictures stay.
        seeing = getattr(self._plain, "seeing", None)
        return seeing(ids, self._changed) if seeing else self._changed(ids)

    def _changed(self, ids: mx.array) -> mx.array:
        y: mx.array = self._plain(ids)
        if (current_rows := current()) is None:
            return y
        for stack, places in self._used(current_rows):
            rows = len(places.indices)
            at = places.indices.reshape(rows, *[1] * (ids.ndim - 1))
            inner = _masked(stack.a[at, ids].reshape(rows, -1, stack.a.shape[-1]), places)
            added = mx.gather_mm(inner, stack.b, rhs_indices=places.indices)
            y = y + as_type(y, added).reshape(y.shape)
        return y

    def as_linear(self, x: mx.array) -> mx.array:
        """The same matrix as the head of the model: (B, ..., size) to (B, ..., V)."""
        y: mx.array = self._plain.as_linear(x)
        if (rows := current()) is None:
            return y
        for stack, places in self._used(rows):
            inner = gathered(x.reshape(len(places.indices), -1, x.shape[-1]), stack.b.swapaxes(1, 2), places)
            added = mx.gather_mm(inner, stack.a.swapaxes(1, 2), rhs_indices=places.indices)
            y = y + as_type(y, added).reshape(y.shape)
        return y


def gathered(x: mx.array, factors: mx.array, places: AdapterPlaces) -> mx.array:
    """Each row of (B, T, inputs) times its adapter's first factor: (B, T, rank), 0 without an adapter."""
    return _masked(mx.gather_mm(x, factors, rhs_indices=places.indices), places)


def _masked(inner: mx.array, places: AdapterPlaces) -> mx.array:
    # Chosen and not multiplied: another row's adapter may overflow, and 0 times infinity is no number.
    return inner if places.mask is None else mx.where(places.mask, inner, mx.zeros_like(inner))


def as_type(y: mx.array, added: mx.array) -> mx.array:
    """`added` in the type of `y`."""
    return added if added.dtype == y.dtype else added.astype(y.dtype)


def _stacked(vectors: Sequence[mx.array | None]) -> mx.array | None:
    """(S, 1, outputs), to be gathered beside (B, T, outputs)."""
    found = [vector for vector in vectors if vector is not None]
    return mx.stack(found)[:, None] if found else None
