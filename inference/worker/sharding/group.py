"""The ranks that compute one model together, as each of them sees the others."""

from typing import Any

import mlx.core as mx

_group: Any = None  # this process's; a worker holds one model and is in one group at most


def join(backend: str) -> Any:
    """Connect to the other ranks, and wait until all are there; returns MLX's group.

    The environment says where they are (docs/ranks.md). Raises RuntimeError if one cannot be reached.
    """
    global _group
    _group = mx.distributed.init(strict=True, backend=backend)
    return _group


def of_rank_0(tokens: mx.array) -> mx.array:
    """The tokens that rank 0 sampled, on every rank; the same tokens in a process without a group.

    It is a part of the lazy graph, so nothing waits for it. The other ranks compute their own tokens only to
    have the model computed: they know no grammar, no penalty and no seed.
    """
    if _group is None:
        return tokens
    own = tokens if _group.rank() == 0 else tokens * 0
    return mx.distributed.all_sum(own, group=_group)


def lane_stream() -> mx.Stream | mx.ThreadLocalStream:
    """The stream to compute a lane's sequences on.

    The ranks exchange their sums in the order in which they are computed, which one stream keeps.
    """
    device = mx.default_device()
    return mx.default_stream(device) if _group else mx.new_thread_local_stream(device)


def wait_for_all() -> None:
    """Wait until every rank is as far as this one: they end their loads at different times."""
    if _group:
        mx.eval(mx.distributed.all_sum(mx.array(1.0), group=_group, stream=mx.cpu))
