"""`manage.py load ID`: load a model into the running site and wait until it is ready."""

import argparse
import time
from typing import Any, ClassVar

from django.core.management import CommandError

from inference.core.load_progress import loading_text
from inference.core.pool_state import ModelState, PoolSnapshot, ResidentModel
from inference.management.client import Client, ModelCommand

_POLL_EVERY_S = 0.2
_LOADED = {ModelState.READY, ModelState.BUSY}


class Command(ModelCommand):
    help = "Load a model into the running site."
    action: ClassVar[str] = "load"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--no-wait", action="store_true", help="return once the load has started")

    def handle(self, *args: Any, **options: Any) -> None:
        client = self.client(options)
        model = client.act(self.action, options["model"])
        if options["no_wait"]:
            self.stdout.write(f"{model.id} is {model.state}.")
            return
        loaded = self._follow(client, model.id)
        self.stdout.write(f"{loaded.id} is ready ({loaded.load_s:.1f} s).")

    def _follow(self, client: Client, name: str) -> ResidentModel:
        """Wait until the model is loaded, and write its progress; raises CommandError if that fails."""
        written = ""
        pool = client.pool()
        while (model := pool.of(name)).state not in _LOADED:
            if _has_failed(model, pool):
                raise CommandError(f"{name} was not loaded{': ' if model.reason else ''}{model.reason}.")
            if (now := _step(model)) != written:
                self.stdout.write(f"{name}: {now}")
                self.stdout.flush()
            written = now
            time.sleep(_POLL_EVERY_S)
            pool = client.pool()
        return model


def _has_failed(model: ResidentModel, pool: PoolSnapshot) -> bool:
    is_waiting = pool.waiting > 0  # for memory, while the model still shows an earlier failure
    return model.state in {ModelState.FAILED, ModelState.UNLOADED} and not is_waiting


def _step(model: ResidentModel) -> str:
    if model.state != ModelState.LOADING:
        return "waiting for memory"
    return loading_text(model.loaded_percent, model.load_phase)
