"""Models in memory: scheduling, leases, eviction, and the processes that hold the models."""

from inference.pool.options import PoolOptions
from inference.pool.pool import Pool
from inference.pool.workers.runner import Runner
from inference.pool.workers.worker_process import ProcessRunner

__all__ = ["Pool", "PoolOptions", "ProcessRunner", "Runner"]
