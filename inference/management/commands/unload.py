"""`manage.py unload ID`: unload a model of the running site once its requests have finished."""

import argparse
import time
from typing import Any

from inference.core.pool_state import ModelState, ResidentModel
from inference.management.client import Client, ModelCommand

_POLL_EVERY_S = 0.2


class Command(ModelCommand):
    help = "Unload a model of the running site once its active requests have finished, or now."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--now", action="store_true", help="end its active requests with an error")
        parser.add_argument("--no-wait", action="store_true", help="return once the unload has started")

    def handle(self, *args: Any, **options: Any) -> None:
        client = self.client(options)
        model = client.act("unload", options["model"], now=options["now"])
        if not options["no_wait"]:
            model = self._follow(client, model)
        if options["no_wait"] or not model.state.is_in_memory:
            self.stdout.write(f"{model.id} is {model.state}.")
        else:
            self.stdout.write(
                f"{model.id} was unloaded and is {model.state} again, because a request needs it."
            )

    def _follow(self, client: Client, model: ResidentModel) -> ResidentModel:
        """Wait until the model is unloaded, and write what it waits for."""
        written = ""
        while model.state == ModelState.DRAINING:
            if (now := _step(model)) != written:
                self.stdout.write(f"{model.id}: {now}")
                self.stdout.flush()
            written = now
            time.sleep(_POLL_EVERY_S)
            model = client.pool().of(model.id)
        return model


def _step(model: ResidentModel) -> str:
    if not model.leases:
        return "unloading"
    return f"waiting for {model.leases} {'request' if model.leases == 1 else 'requests'} to finish"
