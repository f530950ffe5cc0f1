"""`manage.py bench`: this server measured, beside mlx_lm.server in the same run where that is asked for.

A row is a file with a `measure(bench)` that gives figures; docs/performance.md says what each of them means.
"""

from inference.bench import seeded, sse, streams, swap, ttft
from inference.bench.bench import Row

ROWS: dict[str, Row] = {
    "streams": streams.measure,
    "seeded": seeded.measure,
    "ttft": ttft.measure,
    "swap": swap.measure,
    "sse": sse.measure,
}
