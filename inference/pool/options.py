"""The limits and times of a pool."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class PoolOptions:
    """The operator's settings of one pool.

    `limit_bytes` is what all models may use together; unless the operator set it (`is_limit_given`) the
    device's own limit counts too. `idle_ttl_s` is for models whose card has none, -1 for no limit. A model
    is not evicted for another one within `min_residency_s` of its load. A request that waited `patience_s`
    is overtaken only by those that waited for a load with it (scheduling/head_reservation.py).
    """

    limit_bytes: int
    queue_limit: int
    load_timeout_s: float
    is_limit_given: bool = True
    max_leases: int = 32  # of one model
    wait_limit_s: float = 300.0
    idle_ttl_s: float = -1.0
    min_residency_s: float = 5.0
    patience_s: float = 10.0
    keep_spare: bool = True
