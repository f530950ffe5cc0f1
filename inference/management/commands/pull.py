"""`manage.py pull OWNER/NAME`: a model from the Hugging Face hub into the models folder."""

import argparse
import re
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError
from tqdm import tqdm

from inference.sources.hub import HubUnavailable, NoRoom, download

_ID = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}")


class Command(BaseCommand):
    help = "Fetch a model from the Hugging Face hub; run it again to go on where it stopped."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("id", help="its exact id on the hub, for example mlx-community/Qwen3-4B-4bit")

    def handle(self, *args: Any, **options: Any) -> None:
        name: str = options["id"]
        if not _ID.fullmatch(name) or ".." in name:
            raise CommandError("Give the model's exact id on the hub: OWNER/NAME.")
        target = settings.CONFIG.models_path / name
        if target.exists():
            raise CommandError(f"{name} is there already; `manage.py remove {name}` removes it.")
        with tqdm(unit="B", unit_scale=True, desc=name, file=self.stderr, leave=False) as bar:
            try:
                download(name, target, lambda _, done, total: _show(bar, done, total))
            except (HubUnavailable, NoRoom) as error:
                raise CommandError(f"{str(error)[0].upper()}{str(error)[1:]}.") from error
            except BlockingIOError:
                raise CommandError(f"Somebody else is fetching {name} already.") from None
            except KeyboardInterrupt:
                raise CommandError(f"Stopped; `manage.py pull {name}` goes on where it was.") from None
        self.stdout.write(f"{name} is there; a running site lists it within seconds.")


def _show(bar: Any, done: int, total: int) -> None:
    bar.total = total
    bar.update(done - bar.n)
