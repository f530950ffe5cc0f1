"""`manage.py search [WORDS]`: models of the Hugging Face hub, and whether they fit this server."""

import argparse
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.core.management import BaseCommand, CommandError

from inference.core.installation import PROGRAM
from inference.management.table import table
from inference.repository.discovery.hub_search import MOST, Format, SearchOrder
from inference.repository.downloads.errors import FetchFailed
from inference.serving import runtime
from inference.serving.discovery import hub_models, suggested_models
from inference.serving.discovery.hub_models import FoundModel
from inference.serving.discovery.suggested_models import Suggestion

_GB = 10**9
_AT_ONCE = 4
_ORDERS = {"downloads": SearchOrder.DOWNLOADS, "likes": SearchOrder.LIKES, "date": SearchOrder.DATE}


class Command(BaseCommand):
    help = "Search the Hugging Face hub for models, and show which of them fit into this server's memory."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "words", nargs="*", help="parts of the model's name, for example: qwen 4b; without, a short list"
        )
        parser.add_argument("--sort", choices=list(_ORDERS), default="downloads", help="sort order")
        parser.add_argument("--all", action="store_true", help="also models that are not made for MLX")
        parser.add_argument("--limit", type=int, default=10, help=f"how many, up to {MOST}")

    def handle(self, *args: Any, **options: Any) -> None:
        most: int = options["limit"]
        if not 1 <= most <= MOST:
            raise CommandError(f"--limit is a number from 1 to {MOST}.")
        form = Format.SAFETENSORS if options["all"] else Format.MLX
        words = " ".join(options["words"])
        if not words:
            self._recommend()
            return
        try:
            found = hub_models.search(words, order=_ORDERS[options["sort"]], format=form, most=most)
        except FetchFailed as error:
            raise CommandError(str(error)) from error
        if not found:
            self.stdout.write("No models found: try fewer search terms, or --all.")
            return
        self.stderr.write(f"Checking whether {len(found)} models fit…")
        with runtime.by_itself():
            for line in table(list(_rows(found))):
                self.stdout.write(line)
        self.stdout.write(f"`{PROGRAM} pull OWNER/NAME` downloads one.")

    def _recommend(self) -> None:
        """The list that ships with this server, for which no hub is asked."""
        self.stderr.write(f"Recommended models, as of {suggested_models.AS_OF:%Y-%m-%d}:")
        with runtime.by_itself():
            found = suggested_models.all_with_verdicts()
        for line in table([("MODEL", "SIZE", "", "BESIDE NO OTHER MODEL"), *map(_suggestion_row, found)]):
            self.stdout.write(line)


def _suggestion_row(one: Suggestion) -> tuple[str, ...]:
    return one.model.id, f"{one.model.download_bytes / _GB:.1f} GB", one.model.remark, one.verdict.text


def _rows(found: list[FoundModel]) -> Iterator[tuple[str, ...]]:
    yield "MODEL", "SIZE", "QUANTISATION", "DOWNLOADS", "BESIDE NO OTHER MODEL"
    with ThreadPoolExecutor(_AT_ONCE) as threads:
        verdicts = threads.map(_verdict, (one.hub.id for one in found))
        for one, verdict in zip(found, verdicts, strict=True):
            size = f"{one.hub.weight_bytes / _GB:.1f} GB" if one.hub.weight_bytes else "?"
            yield one.hub.id, size, one.hub.quantization, f"{one.hub.downloads:,}", verdict


def _verdict(repo: str) -> str:
    try:
        found = hub_models.examine(repo)
    except FetchFailed as error:
        return str(error)
    problem = found.model.card.problem
    return f"Cannot be served: {problem}" if problem else found.verdict.text
