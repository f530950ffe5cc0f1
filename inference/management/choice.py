"""Pinning from the command line: through the running site, or straight into the database when none runs."""

from typing import Any, ClassVar, Literal

from django.core.management import CommandError
from django.db import DatabaseError

from inference.management.client import ModelCommand, NotRunning
from inference.models import ServedModel
from inference.serving import runtime


class PinCommand(ModelCommand):
    """Pins or unpins one model."""

    action: ClassVar[Literal["pin", "unpin"]]

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            name = self.client(options).act(self.action, options["model"]).id
        except NotRunning:
            name = self._choose(options["model"])
            self.stdout.write("No site runs now; this counts when it starts.")
        self.stdout.write(f"{name} is {self.action}ned.")

    def _choose(self, model: str) -> str:
        card = runtime.catalog().find(model)
        if card is None:
            raise CommandError(f"There is no model {model!r} here; `manage.py models` lists them.")
        try:
            chosen = {"is_pinned": self.action == "pin"}
            ServedModel.objects.update_or_create(name=card.id, defaults=chosen)
        except DatabaseError as error:
            raise CommandError(
                f"The database cannot be written: {error}. Start the site once with `python manage.py serve`."
            ) from None
        return card.id
