"""`manage.py reload ID`: load a model again with its present settings, and wait until it is ready."""

import time

from inference.core.pool_state import ModelState, ResidentModel
from inference.management.client import Client
from inference.management.commands.load import Command as LoadCommand

_POLL_EVERY_S = 0.2


class Command(LoadCommand):
    help = "Unload a model of the running site once its requests have finished, and load it again."
    action = "reload"

    def _follow(self, client: Client, name: str) -> ResidentModel:
        """Wait for its requests, and then for the load."""
        while client.pool().of(name).state == ModelState.DRAINING:
            time.sleep(_POLL_EVERY_S)
        return super()._follow(client, name)
