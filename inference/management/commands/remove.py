"""`manage.py remove ID`: delete a model's files after a typed confirmation."""

import argparse
from typing import Any

from django.conf import settings
from django.core.management import CommandError
from django.db import DatabaseError

from inference.core.installation import PROGRAM
from inference.management.client import ClientCommand, NotRunning
from inference.models import ServedModel
from inference.repository import deletion
from inference.repository.downloads.errors import FetchFailed, NotAnId
from inference.repository.downloads.hub import discard
from inference.serving import runtime
from inference.serving.action_preview import removal_text

_GB = 10**9


class Command(ClientCommand):
    help = "Delete a model's files, or only its link, or the settings of a model whose folder is gone."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("model", help="the model's id")
        parser.add_argument(
            "--draft", action="store_true", help="delete only what an interrupted download or import left"
        )
        parser.add_argument("--yes", action="store_true", help="do not ask")
        parser.add_argument(
            "--without-site", action="store_true", help="do not check whether a running site uses the model"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        card = runtime.catalog().exact(options["model"])
        if card is None or options["draft"]:
            self._remove_rest(options)
            return
        models = settings.CONFIG.models_path
        try:
            planned = deletion.plan(card, models)
        except deletion.NotDeletable as error:
            raise CommandError(str(error)) from error
        if not options["without_site"]:
            self._check_unused(card.id, options)
        if not options["yes"] and not self._ask_confirmation(planned.model, removal_text(planned)):
            raise CommandError("Nothing was deleted.")
        try:
            deletion.remove(card, models)
        except OSError as error:
            raise CommandError(
                f"Not all of {card.id} could be deleted: {error.strerror or error}. Check the permissions of "
                f"{card.path}."
            ) from error
        self.stdout.write(
            planned.done
            if planned.is_link
            else f"{card.id} was deleted; {planned.bytes / _GB:.1f} GB are free again."
        )

    def _check_unused(self, name: str, options: dict[str, Any]) -> None:
        """Raise CommandError if the running site has the model in memory, or cannot be asked."""
        try:
            state = self.client(options).pool().of(name).state
        except NotRunning:
            self.stdout.write("No site is running that could use it.")
            return
        except CommandError as error:
            raise CommandError(
                f"{error} It is unknown whether the site uses {name}. Give its address with --host and "
                "--port, or delete the model anyway with --without-site."
            ) from error
        if state.is_in_memory:
            raise CommandError(f"{name} is {state} in the running site; `{PROGRAM} unload {name}` first.")

    def _remove_rest(self, options: dict[str, Any]) -> None:
        """Delete an incomplete model, or else the settings of one whose folder is gone."""
        name: str = options["model"]
        if self._discard(name):
            self.stdout.write(f"The incomplete files of {name} were deleted.")
        elif not options["draft"] and _has_settings(name):
            self._forget(options)
        else:
            raise CommandError(
                f"There is no model {name!r} and no incomplete one; `{PROGRAM} models` lists them."
            )

    def _forget(self, options: dict[str, Any]) -> None:
        """Delete the settings of a model whose folder is gone."""
        name: str = options["model"]
        if not options["without_site"]:
            self._check_unused(name, options)
        text = f"The folder of {name} does not exist. Its settings will be deleted."
        if not options["yes"] and not self._ask_confirmation(name, text):
            raise CommandError("Nothing was deleted.")
        ServedModel.objects.filter(name=name).delete()
        self.stdout.write(f"The settings of {name} are deleted.")

    def _discard(self, name: str) -> bool:
        """Delete an incomplete model without confirmation, and return whether there was one."""
        try:
            return discard(name, settings.CONFIG.models_path)
        except NotAnId:
            return False
        except FetchFailed as error:
            raise CommandError(str(error)) from error

    def _ask_confirmation(self, name: str, text: str) -> bool:
        """Ask for the model's name; True if it was typed. Raises CommandError without a terminal."""
        self.stdout.write(f"{text} Type {name} to confirm:")
        try:
            return input().strip() == name
        except EOFError:
            raise CommandError(
                "Nothing was deleted: there is no terminal to type the name in; --yes skips the confirmation."
            ) from None
        except KeyboardInterrupt:
            return False


def _has_settings(name: str) -> bool:
    try:
        return ServedModel.objects.filter(name=name).exists()
    except DatabaseError:  # no site was ever run here
        return False
