"""Who is resident: leases, eviction and the processes that hold the models."""

from inference.pool.pool import Pool
from inference.pool.process import ProcessRunner
from inference.pool.runner import Runner

__all__ = ["Pool", "ProcessRunner", "Runner"]
