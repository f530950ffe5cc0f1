"""`python -m inference.management.bench.site`: the real site with a scripted runner.

A line on standard input opens the gate for all waiting streams; the end of standard input stops the site. It
prints `ready` once it listens. `python -m cProfile -o FILE -m inference.management.bench.site` profiles it.
"""

import argparse
import asyncio
import sys

from inference.core.model_card import ModelCard
from inference.management.bench.scripted import MODEL, Gate, ScriptedRunner

_MAX_STREAMS = 1024


def main() -> None:
    parser = argparse.ArgumentParser(prog="inference.management.bench.site")
    parser.add_argument("--port", type=int, required=True)
    _serve(parser.parse_args().port)


def _serve(port: int) -> None:
    # mlxsite.asgi sets Django up, so it comes before the others.
    from mlxsite.asgi import application  # isort: skip
    from inference.pool import Pool, PoolOptions
    from inference.serving import runtime
    from mlxsite.server import StreamServer

    gate = Gate()
    catalog = OneModel()
    options = PoolOptions(
        limit_bytes=10**9,
        queue_limit=_MAX_STREAMS,
        load_timeout_s=60,
        max_leases=_MAX_STREAMS,
        keep_spare=False,
    )
    pool = Pool(options, find_card=catalog.find, start_runner=lambda: ScriptedRunner(gate))

    def on_ready() -> None:
        asyncio.get_event_loop().add_reader(sys.stdin, on_line)
        print("ready", flush=True)

    def on_line() -> None:
        if sys.stdin.readline():
            gate.open()
        else:
            asyncio.get_event_loop().remove_reader(sys.stdin)
            server.stop()

    server = StreamServer(application, host="127.0.0.1", port=port, max_body_bytes=2**20, on_ready=on_ready)
    with runtime.use_pool(pool, models=catalog):  # type: ignore[arg-type]
        server.run()


class OneModel:
    """A catalog of the one scripted model."""

    def __init__(self) -> None:
        self._card = ModelCard(
            id=MODEL,
            path=MODEL,
            source="folder",
            family=MODEL,
            context_length=2**20,
            weight_bytes=1,
            resident_bytes=1,
        )

    def scan(self) -> tuple[ModelCard, ...]:
        return (self._card,)

    def find(self, model_id: str) -> ModelCard | None:
        return self._card if model_id == MODEL else None

    known = find

    def forget(self) -> None:
        """It never changes."""


if __name__ == "__main__":
    main()
