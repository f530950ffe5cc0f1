"""`manage.py pool`: the running site's models, their memory, and the latest events."""

import argparse
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import msgspec

from inference.core.load_progress import loading_text
from inference.core.pool_state import ModelState, PoolEvent, PoolSnapshot, RankState, ResidentModel
from inference.core.units import in_gb
from inference.management.client import ClientCommand
from inference.management.table import printable, table

_COLUMNS = (
    *("MODEL", "STATE", "MEMORY", "MAY GROW TO", "STREAMS", "PAUSED"),
    *("IDLE", "RESTARTS", "PINNED", "RANKS", "REASON"),
)
_LAST_EVENTS = 10


class Command(ClientCommand):
    help = "Show the models of the running site, their memory, and the latest events."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--json", action="store_true", help="print everything as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        snapshot = self.client(options).pool()
        if options["json"]:
            self.stdout.write(msgspec.json.format(msgspec.json.encode(snapshot)).decode())
            return
        for line in lines(snapshot):
            self.stdout.write(printable(line))


def lines(snapshot: PoolSnapshot) -> Iterator[str]:
    """The pool as lines for a terminal."""
    yield (
        f"Models hold {in_gb(snapshot.reserved_bytes)} of {in_gb(snapshot.limit_bytes)}; "
        f"{snapshot.waiting} waiting; pressure {snapshot.pressure}; "
        f"{'a' if snapshot.is_spare_ready else 'no'} spare worker is ready."
    )
    if snapshot.models:
        yield ""
        yield from table([_COLUMNS, *map(_row, snapshot.models)])
    if snapshot.events:
        yield ""
        yield from map(_event_line, snapshot.events[-_LAST_EVENTS:])


def _row(model: ResidentModel) -> tuple[str, ...]:
    is_loading = model.state == ModelState.LOADING
    state = loading_text(model.loaded_percent, model.load_phase) if is_loading else str(model.state)
    retry = f" (again in {model.retry_in_s:.0f} s)" if model.retry_in_s else ""
    return (
        model.id,
        state,
        in_gb(model.reserved_bytes),
        in_gb(model.reserved_bytes + model.kv_growth_bytes) if model.kv_growth_bytes else "",
        str(model.leases),
        str(model.paused or ""),
        f"{model.idle_s:.0f} s",
        str(model.restarts),
        "yes" if model.is_pinned else "",
        " ".join(map(_rank, model.ranks)),
        model.reason + retry,
    )


def _rank(rank: RankState) -> str:
    """A rank by its process, with the machine of one that runs elsewhere."""
    return f"{rank.pid}@{rank.host}" if rank.host else str(rank.pid)


def _event_line(event: PoolEvent) -> str:
    return f"{datetime.fromtimestamp(event.at):%Y-%m-%d %H:%M:%S}  {event.text}"
