"""`manage.py bench`: measure this server, and optionally another one in the same run.

A row is a module with a function `measure(bench)` that returns figures; docs/performance.md explains them.
"""

from inference.management.bench import (
    agents,
    drafts,
    edit,
    gap,
    memory,
    quantised,
    seeded,
    sse,
    start,
    steps,
    streams,
    swap,
    ttft,
    users,
)
from inference.management.bench.bench import Row

# In the order they are measured in.
ROWS: dict[str, Row] = {
    "streams": streams.measure,
    "seeded": seeded.measure,
    "edit": edit.measure,
    "drafts": drafts.measure,
    "ttft": ttft.measure,
    "swap": swap.measure,
    "gap": gap.measure,
    "quantised": quantised.measure,
    "agents": agents.measure,
    "users": users.measure,
    "memory": memory.measure,
    "start": start.measure,
    "steps": steps.measure,
    "sse": sse.measure,
}
