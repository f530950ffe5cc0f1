"""`manage.py unload ID`: end a model of the running site once its streams have ended."""

from typing import Any

from inference.management.client import ModelCommand
from inference.types import ModelState


class Command(ModelCommand):
    help = "Unload a model of the running site once its last stream has ended."

    def handle(self, *args: Any, **options: Any) -> None:
        model = self.client(options).act("unload", options["model"])
        is_leaving = model.state == ModelState.DRAINING
        self.stdout.write(f"{model.id} is {'unloading' if is_leaving else model.state}.")
        if is_leaving and model.leases:
            self.stdout.write(f"It goes when its {model.leases} streams have ended.")
