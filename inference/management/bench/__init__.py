"""`manage.py bench`: this server measured, beside mlx_lm.server in the same run where that is asked for.

A row is a file with a `measure(bench)` that gives figures; docs/performance.md says what each of them means.
"""

from inference.management.bench import gap, quantised, seeded, sse, start, streams, swap, ttft
from inference.management.bench.bench import Row

# In the order in which they are measured.
ROWS: dict[str, Row] = {
    "streams": streams.measure,
    "seeded": seeded.measure,
    "ttft": ttft.measure,
    "swap": swap.measure,
    "gap": gap.measure,
    "quantised": quantised.measure,
    "start": start.measure,
    "sse": sse.measure,
}
