"""`manage.py unload ID`: end a model of the running site once its streams have ended."""

import argparse
import time
from typing import Any

from inference.core.pool_state import ModelState, ResidentModel
from inference.management.client import Client, ModelCommand

_LOOK_EVERY_S = 0.2


class Command(ModelCommand):
    help = "Unload a model of the running site once its last stream has ended."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--no-wait", action="store_true", help="return once the unload has begun")

    def handle(self, *args: Any, **options: Any) -> None:
        client = self.client(options)
        model = client.act("unload", options["model"])
        if not options["no_wait"]:
            model = self._follow(client, model)
        if options["no_wait"] or not model.state.is_in_memory:
            self.stdout.write(f"{model.id} is {model.state}.")
        else:
            self.stdout.write(f"{model.id} was unloaded, and is {model.state} again: a request asked for it.")

    def _follow(self, client: Client, model: ResidentModel) -> ResidentModel:
        """The model once it has left, telling what it waits for."""
        told = ""
        while model.state == ModelState.DRAINING:
            if (now := _step(model)) != told:
                self.stdout.write(f"{model.id}: {now}")
                self.stdout.flush()
            told = now
            time.sleep(_LOOK_EVERY_S)
            model = client.pool().of(model.id)
        return model


def _step(model: ResidentModel) -> str:
    if not model.leases:
        return "unloading"
    return f"waiting for {model.leases} {'answer' if model.leases == 1 else 'answers'} to end"
