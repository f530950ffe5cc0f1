"""`manage.py pull OWNER/NAME`: download a model from the Hugging Face hub into the models folder."""

import argparse
from contextlib import closing
from typing import Any, TextIO

from django.conf import settings
from django.core.management import BaseCommand, CommandError
from tqdm import tqdm

from inference.core.installation import PROGRAM
from inference.management.folder import models_folder
from inference.repository.downloads.errors import FetchFailed
from inference.repository.downloads.hub import download
from inference.repository.downloads.hub_names import check_id
from inference.repository.downloads.progress import FetchProgress, FileProgress


class Command(BaseCommand):
    help = "Download a model from the Hugging Face hub; run it again to resume an interrupted download."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("id", help="the exact id on the hub, for example mlx-community/Qwen3-4B-4bit")

    def handle(self, *args: Any, **options: Any) -> None:
        name: str = options["id"]
        try:
            check_id(name)
            folder = models_folder(settings.CONFIG)
            with closing(Bars(self.stderr)) as bars:  # type: ignore[arg-type]  # a wrapped stream
                download(name, folder / name, bars.show)
        except FetchFailed as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            raise CommandError(f"Stopped; `{PROGRAM} pull {name}` resumes the download.") from None
        self.stdout.write(f"{name} was downloaded; a running site lists it within seconds.")


class Bars:
    """A progress bar with the speed for each file; bars of finished files stay above the others."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._open: dict[str, Any] = {}
        self._finished: set[str] = set()
        self._note = ""

    def show(self, progress: FetchProgress) -> None:
        for number, file in enumerate(progress.files, 1):
            if file.name not in self._finished:
                self._draw(file, f"{number}/{len(progress.files)}")
            if file.done < file.size:
                break  # files are downloaded one after the other
        if progress.note and progress.note != self._note:
            tqdm.write(progress.note, file=self._stream)
        self._note = progress.note

    def close(self) -> None:
        for bar in self._open.values():
            bar.close()

    def _draw(self, file: FileProgress, position: str) -> None:
        if file.name not in self._open:
            # Start at what an earlier download left, so that the speed is that of the network.
            self._open[file.name] = tqdm(
                total=file.size,
                initial=file.done,
                unit="B",
                unit_scale=True,
                desc=f"{position} {file.name}",
                file=self._stream,
            )
        bar = self._open[file.name]
        bar.update(file.done - bar.n)
        if file.done == file.size:
            self._finished.add(file.name)
            self._open.pop(file.name).close()
