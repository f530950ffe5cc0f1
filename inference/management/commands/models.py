"""`manage.py models`: the models on this machine's disk, as a table or JSON."""

import argparse
import json
from collections.abc import Iterator
from typing import Any

import msgspec
from django.core.management import BaseCommand

from inference.core.installation import PROGRAM
from inference.core.model_card import ModelCard
from inference.management.table import table
from inference.serving import runtime

_GB = 10**9


class Command(BaseCommand):
    help = "List the models on this machine's disk, with their LoRA adapters and profiles."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        cards = runtime.pool().fitted(*runtime.catalog().scan())
        if options["json"]:
            self.stdout.write(json.dumps(msgspec.to_builtins(cards), indent=1))
            return
        if not cards:
            self.stdout.write(f"There is no model yet: `{PROGRAM} pull OWNER/NAME` downloads one.")
            return
        rows = [
            ("MODEL", "KIND", "FAMILY", "SIZE", "CONTEXT", ""),
            *(row for card in cards for row in (_row(card), *_lora_rows(card), *_profile_rows(card))),
        ]
        for line in table(rows):
            self.stdout.write(line)


def _lora_rows(card: ModelCard) -> Iterator[tuple[str, str, str, str, str, str]]:
    for lora in card.loras:
        note = f"cannot be used: {lora.problem}" if lora.problem else ""
        size = f"{lora.weight_bytes / _GB:.1f} GB"
        yield f"{card.id}:{lora.name}", "adapter", card.family, size, f"{card.context_length:,}", note


def _profile_rows(card: ModelCard) -> Iterator[tuple[str, str, str, str, str, str]]:
    for variant in card.variants:
        if variant.profile:
            yield variant.id, "profile", card.family, "", f"{card.context_length:,}", ""


def _row(card: ModelCard) -> tuple[str, str, str, str, str, str]:
    notes = [f"cannot be served: {card.problem}"] if card.problem else []
    notes += ["pinned"] * card.is_pinned + [f"also {', '.join(card.aliases)}"] * bool(card.aliases)
    notes += [f"{card.ranks} ranks"] * (card.ranks > 1)
    size = f"{card.weight_bytes / _GB:.1f} GB"
    return card.id, card.kind, card.family, size, f"{card.context_length:,}", "; ".join(notes)
