"""Pinning from the command line: through the running site, or in the database when no site runs."""

from typing import Any, ClassVar, Literal

from django.core.management import CommandError
from django.db import DatabaseError

from inference.core.installation import PROGRAM
from inference.management.client import ModelCommand, NotRunning
from inference.models import ServedModel
from inference.serving import runtime


class PinCommand(ModelCommand):
    """Pins or unpins one model, in the running site if there is one and otherwise in the database."""

    action: ClassVar[Literal["pin", "unpin"]]

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            name = self.client(options).act(self.action, options["model"]).id
        except NotRunning:
            name = self._save(options["model"])
            self.stdout.write("No site is running; this applies when it starts.")
        self.stdout.write(f"{name} is {self.action}ned.")

    def _save(self, model: str) -> str:
        card = runtime.catalog().find(model)
        if card is None:
            raise CommandError(f"There is no model {model!r}; `{PROGRAM} models` lists them.")
        try:
            fields = {"is_pinned": self.action == "pin"}
            ServedModel.objects.update_or_create(name=card.id, defaults=fields)
        except DatabaseError as error:
            raise CommandError(
                f"Cannot write to the database: {error}. Start the site once with `{PROGRAM} serve`."
            ) from None
        return card.id
