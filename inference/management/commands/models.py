"""`manage.py models`: what is on this machine's disk and could be served, as a table or JSON."""

import argparse
import json
from typing import Any

import msgspec
from django.core.management import BaseCommand

from inference import runtime
from inference.types import ModelCard

_GB = 10**9


class Command(BaseCommand):
    help = "List the models on this machine's disk."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        cards = runtime.catalog().scan()
        if options["json"]:
            self.stdout.write(json.dumps(msgspec.to_builtins(cards), indent=1))
            return
        if not cards:
            self.stdout.write("There is no model yet: `manage.py pull OWNER/NAME` fetches one.")
            return
        rows = [("MODEL", "KIND", "FAMILY", "SIZE", "CONTEXT", ""), *map(_row, cards)]
        widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
        for row in rows:
            padded = (text.ljust(width) for text, width in zip(row, widths, strict=True))
            self.stdout.write("  ".join(padded).rstrip())


def _row(card: ModelCard) -> tuple[str, str, str, str, str, str]:
    notes = [f"cannot be served: {card.problem}"] if card.problem else []
    notes += ["pinned"] * card.is_pinned + [f"also {', '.join(card.aliases)}"] * bool(card.aliases)
    size = f"{card.weight_bytes / _GB:.1f} GB"
    return card.id, card.kind, card.family, size, f"{card.context_length:,}", "; ".join(notes)
