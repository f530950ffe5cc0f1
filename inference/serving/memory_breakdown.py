"""The memory budget as one stacked bar."""

from msgspec import Struct

from inference.core.pool_state import PoolSnapshot


class Bar(Struct, frozen=True, kw_only=True):
    """The budget's parts in bytes; together they are `total`."""

    weights: int  # of models, with what prefill needs beside them
    kv: int  # reserved for running requests
    caches: int  # prefixes kept for later prompts, which are given up first
    others: int  # memory that models might use, taken by other programs, or by a quantisation
    free: int
    limit: int
    growth: int = 0  # not part of it: what running answers need if they become as long as they may

    @property
    def held(self) -> int:
        return self.weights + self.kv + self.caches

    @property
    def total(self) -> int:
        """The budget, or what is held where that is more."""
        return self.held + self.others + self.free


def bar_of(snapshot: PoolSnapshot, available: int) -> Bar:
    """The bar of this pool, on a machine that still has `available` bytes."""
    kv = sum(max(model.kv_reserved_bytes, model.memory.kv) for model in snapshot.models)
    caches = sum(model.memory.prefix_cache for model in snapshot.models)
    left = max(0, snapshot.limit_bytes - snapshot.reserved_bytes)
    usable = min(left, max(0, available - _promised(snapshot)))
    return Bar(
        weights=max(0, snapshot.reserved_bytes - snapshot.claimed_bytes - kv - caches),
        kv=kv,
        caches=caches,
        others=left - usable + snapshot.claimed_bytes,
        free=usable,
        limit=snapshot.limit_bytes,
        growth=sum(model.kv_growth_bytes for model in snapshot.models),
    )


def _promised(snapshot: PoolSnapshot) -> int:
    """Bytes that are reserved and not allocated yet: loads in progress, tokens still to be generated."""
    return sum(max(0, model.reserved_bytes - model.memory.held) for model in snapshot.models)
