"""`manage.py remove ID`: a model's files, deleted after a typed confirmation."""

import argparse
from typing import Any

from django.conf import settings
from django.core.management import CommandError

from inference.management.client import ClientCommand, NotRunning
from inference.repository import deletion
from inference.repository.downloads.errors import FetchFailed, NotAnId
from inference.repository.downloads.hub import discard
from inference.serving import runtime
from inference.serving.action_preview import removal_text

_GB = 10**9


class Command(ClientCommand):
    help = "Delete a model's files from the models folder, or the link that it is there."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("model", help="the model's id")
        parser.add_argument(
            "--draft", action="store_true", help="only what an interrupted download or import left of it"
        )
        parser.add_argument("--yes", action="store_true", help="do not ask")
        parser.add_argument(
            "--without-site", action="store_true", help="do not ask a running site whether it uses the model"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        card = runtime.catalog().exact(options["model"])
        if card is None or options["draft"]:
            self._discard(options["model"])
            return
        models = settings.CONFIG.models_path
        try:
            planned = deletion.plan(card, models)
        except deletion.NotOurs as error:
            raise CommandError(str(error)) from error
        if not options["without_site"]:
            self._refuse_in_use(card.id, options)
        if not options["yes"] and not self._is_confirmed(planned):
            raise CommandError("Nothing was deleted.")
        try:
            deletion.remove(card, models)
        except OSError as error:
            raise CommandError(
                f"Not all of {card.id} could be deleted: {error.strerror or error}. Look at {card.path} and "
                "who may write there."
            ) from error
        self.stdout.write(
            planned.done
            if planned.is_link
            else f"{card.id} was deleted; {planned.bytes / _GB:.1f} GB are free again."
        )

    def _refuse_in_use(self, name: str, options: dict[str, Any]) -> None:
        """CommandError while the running site has the model loaded, or does not tell."""
        try:
            state = self.client(options).pool().of(name).state
        except NotRunning:
            self.stdout.write("No site runs that could be using it.")
            return
        except CommandError as error:
            raise CommandError(
                f"{error} So it is not known whether it uses {name}. Say where the site is with --host and "
                "--port, or delete all the same with --without-site."
            ) from error
        if state.is_in_memory:
            raise CommandError(f"{name} is {state} in the running site; `manage.py unload {name}` first.")

    def _discard(self, name: str) -> None:
        """Delete the beginning of a model, unasked: it can be begun again. CommandError without one."""
        try:
            was_begun = discard(name, settings.CONFIG.models_path)
        except NotAnId:
            was_begun = False
        except FetchFailed as error:
            raise CommandError(str(error)) from error
        if not was_begun:
            raise CommandError(
                f"There is no model {name!r} and nothing is left of one; `manage.py models` lists them."
            )
        self.stdout.write(f"What had come of {name} was deleted.")

    def _is_confirmed(self, planned: deletion.Removal) -> bool:
        self.stdout.write(f"{removal_text(planned)} Type {planned.model} to go on:")
        try:
            return input().strip() == planned.model
        except EOFError:
            raise CommandError(
                "Nothing was deleted, for nobody can type the name here; --yes deletes it unasked."
            ) from None
        except KeyboardInterrupt:
            return False
