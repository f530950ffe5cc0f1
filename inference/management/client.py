"""What the commands that speak to the running site share: finding it, and proving who asks."""

import argparse
import http.client
import json
from typing import Any

import msgspec
from django.conf import settings
from django.core.management import BaseCommand, CommandError

from inference.api.operator import token
from inference.core.errors import ModelNotFound
from inference.core.pool_state import PoolSnapshot, ResidentModel
from inference.serving import site_lock
from inference.serving.site_lock import Serving

_ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared, not bound
_PATIENCE_S = 30.0


class NotDone(CommandError):
    """The site did not do what it was asked for."""


class NotRunning(NotDone):
    """No site runs, or none at the address that was given."""


class NotAnswering(NotDone):
    """A site of this data folder runs, but cannot be spoken to."""


class NoSuchModel(NotDone):
    """The site does not know the model."""


class Client:
    """The running site's /api; `ours` is the site of this data folder, there or elsewhere, if one runs."""

    def __init__(self, host: str, port: int, *, ours: Serving | None = None) -> None:
        self._host = _ANYWHERE.get(host, host)
        self._port = port
        self._ours = ours

    @property
    def address(self) -> str:
        return site_lock.url(self._host, self._port)

    def act(self, action: str, model: str) -> ResidentModel:
        """POST one of the actions on a model."""
        try:
            answer = self._ask("POST", f"/api/models/{action}", {"model": model})
        except NoSuchModel:
            raise NoSuchModel(f"There is no model {model!r} here; `manage.py models` lists them.") from None
        return msgspec.json.decode(answer, type=ResidentModel)

    def pool(self) -> PoolSnapshot:
        return msgspec.json.decode(self._ask("GET", "/api/pool"), type=PoolSnapshot)

    def _ask(self, method: str, path: str, body: Any = None) -> bytes:
        """The answer's body; NotRunning, or CommandError with what the site says against it."""
        # Not urllib: it would send this to whatever http_proxy names.
        connection = http.client.HTTPConnection(self._host, self._port, timeout=_PATIENCE_S)
        headers = {"Authorization": f"Bearer {token.make()}", "Content-Type": "application/json"}
        try:
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            response = connection.getresponse()
            answer = response.read()
        except TimeoutError:
            raise NotDone(f"The site at {self.address} does not answer.") from None
        except (OSError, http.client.HTTPException):
            raise self._nobody() from None
        finally:
            connection.close()
        if response.status != 200:
            raise self._why(response.status, answer)
        return answer

    def _nobody(self) -> NotDone:
        if self._ours:
            return NotAnswering(
                f"Nobody can be reached at {self.address}. The site of this data folder: {self._ours}."
            )
        return NotRunning(
            f"No site runs at {self.address}. Start it with `python manage.py serve`, or say where it is "
            "with --host and --port."
        )

    def _why(self, status: int, answer: bytes) -> NotDone:
        if status == 401:
            return NotDone(
                f"The site at {self.address} does not know this command's key: it was started with another "
                "MLX_SERVER_DATA_DIR."
            )
        try:
            error = json.loads(answer)["error"]
            kind = NoSuchModel if error["code"] == ModelNotFound.code else NotDone
            return kind(str(error["message"]))
        except (ValueError, KeyError, TypeError):
            return NotDone(f"What runs at {self.address} answers {status}: is it another program?")


class ClientCommand(BaseCommand):
    """A command about the running site: the one of this data folder, or the one at --host and --port."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--host", help="where the site listens; found by itself on this data folder")
        parser.add_argument("--port", type=int, help="the port it listens on; found by itself too")

    def execute(self, *args: Any, **options: Any) -> str | None:
        try:
            return super().execute(*args, **options)
        except NotDone as error:
            raise CommandError(str(error)) from error  # Django prints the class's name

    def client(self, options: dict[str, Any]) -> Client:
        config = settings.CONFIG
        site = site_lock.running_site(config.data_dir)
        if site and options["host"] is None and options["port"] is None:
            if not site.port:
                raise NotAnswering(f"The site ({site}) has only begun to start; try again shortly.")
            return Client(site.host, site.port, ours=site)
        port = config.port if options["port"] is None else options["port"]
        if not 0 < port < 65536:
            raise NotRunning("No site of this data folder runs; say with --port which port another has.")
        return Client(options["host"] or config.host, port, ours=site)


class ModelCommand(ClientCommand):
    """A command about one model of the running site."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("model", help="the model's id, or one of its aliases")
