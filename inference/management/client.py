"""A client of the running site's /api, and the base of the commands that use it."""

import argparse
import http.client
import json
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from django.conf import settings
from django.core.management import BaseCommand, CommandError

from inference.api.operator import token
from inference.core.errors import ModelNotFound
from inference.core.installation import PROGRAM
from inference.core.pool_state import PoolSnapshot, ResidentModel
from inference.core.quantisation import QuantisationSettings
from inference.repository.quantising.active_quantisation import ActiveQuantisation
from inference.serving import site_lock
from inference.serving.active_requests import StreamView
from inference.serving.captures import ListedCapture
from inference.serving.health.report import HealthReport
from inference.serving.model_settings import ModelSettings
from inference.serving.site_lock import Serving

_ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared, not bound
_TIMEOUT_S = 30.0


class SiteError(CommandError):
    """The site did not do what the command requested."""


class NotRunning(SiteError):
    """No site is running, or none at the given address."""


class NotReachable(SiteError):
    """The site of this data folder is running, but cannot be reached."""


class NoSuchModel(SiteError):
    """The site does not know the model."""


class Client:
    """The /api of the site at `host` and `port`; `ours` is the running site of this data folder, if any."""

    def __init__(self, host: str, port: int, *, ours: Serving | None = None) -> None:
        self._host = _ANYWHERE.get(host, host)
        self._port = port
        self._ours = ours

    @property
    def address(self) -> str:
        return site_lock.url(self._host, self._port)

    def act(self, action: str, model: str, **fields: object) -> ResidentModel:
        """POST an action on a model; raises NoSuchModel, NotRunning, NotReachable or SiteError."""
        try:
            answer = self._request("POST", f"/api/models/{action}", {"model": model} | fields)
        except NoSuchModel:
            raise NoSuchModel(f"There is no model {model!r}; `{PROGRAM} models` lists them.") from None
        return msgspec.json.decode(answer, type=ResidentModel)

    def pool(self) -> PoolSnapshot:
        return msgspec.json.decode(self._request("GET", "/api/pool"), type=PoolSnapshot)

    def change_settings(
        self, model: str, changes: Mapping[str, object], reset: Sequence[str]
    ) -> ModelSettings:
        body = {"model": model, "reset": list(reset)} | dict(changes)
        answer = self._request("POST", "/api/models/settings", body)
        return msgspec.json.decode(answer, type=ModelSettings)

    def active_requests(self) -> tuple[StreamView, ...]:
        answer = self._request("GET", "/api/requests/active")
        return msgspec.json.decode(answer, type=dict[str, tuple[StreamView, ...]])["requests"]

    def stop_request(self, stream_id: str) -> None:
        self._request("POST", "/api/requests/stop", {"id": stream_id})

    def captures(self) -> tuple[ListedCapture, ...]:
        answer = self._request("GET", "/api/captures")
        return msgspec.json.decode(answer, type=dict[str, tuple[ListedCapture, ...]])["captures"]

    def change_capture(self, action: str, **fields: object) -> ListedCapture:
        """Start, stop or empty a capture: the actions are those below /api/captures."""
        answer = self._request("POST", f"/api/captures{action}", fields)
        return msgspec.json.decode(answer, type=ListedCapture)

    def quantise(
        self, model: str, how: QuantisationSettings, *, name: str, measures: bool
    ) -> ActiveQuantisation:
        body = msgspec.to_builtins(how) | {"model": model, "name": name, "perplexity": measures}
        answer = self._request("POST", "/api/quantisations", body)
        return msgspec.json.decode(answer, type=ActiveQuantisation)

    def quantisations(self) -> tuple[ActiveQuantisation, ...]:
        answer = self._request("GET", "/api/quantisations")
        return msgspec.json.decode(answer, type=tuple[ActiveQuantisation, ...])

    def cancel_quantisation(self, name: str) -> None:
        self._request("POST", "/api/quantisations/cancel", {"name": name})

    def health(self) -> HealthReport:
        return msgspec.json.decode(self._request("GET", "/api/health"), type=HealthReport)

    def _request(self, method: str, path: str, body: Any = None) -> bytes:
        """The body of the response.

        Raises NotRunning or NotReachable without a site, and SiteError with the message of an error response.
        """
        # Not urllib, which would send this through the proxy that http_proxy names.
        connection = http.client.HTTPConnection(self._host, self._port, timeout=_TIMEOUT_S)
        headers = {"Authorization": f"Bearer {token.make()}", "Content-Type": "application/json"}
        try:
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            response = connection.getresponse()
            answer = response.read()
        except TimeoutError:
            raise SiteError(f"The site at {self.address} does not respond.") from None
        except (OSError, http.client.HTTPException):
            raise self._not_reachable() from None
        finally:
            connection.close()
        if response.status != 200:
            raise self._response_error(response.status, answer)
        return answer

    def _not_reachable(self) -> SiteError:
        if self._ours:
            return NotReachable(
                f"No site can be reached at {self.address}. The site of this data folder: {self._ours}."
            )
        return NotRunning(
            f"No site is running at {self.address}. Start it with `{PROGRAM} serve`, or give its "
            "address with --host and --port."
        )

    def _response_error(self, status: int, answer: bytes) -> SiteError:
        if status == 401:
            return SiteError(
                f"The site at {self.address} does not accept this command's key: it was started with another "
                "MLX_SERVER_DATA_DIR."
            )
        try:
            error = json.loads(answer)["error"]
            kind = NoSuchModel if error["code"] == ModelNotFound.code else SiteError
            return kind(str(error["message"]))
        except (ValueError, KeyError, TypeError):
            return SiteError(f"The server at {self.address} responds with {status}: is it another program?")


class ClientCommand(BaseCommand):
    """A command for the running site: the one of this data folder, or the one at --host and --port."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--host", help="address of the site; the default is the site of this data folder")
        parser.add_argument(
            "--port", type=int, help="port of the site; the default is the site of this data folder"
        )

    def execute(self, *args: Any, **options: Any) -> str | None:
        try:
            return super().execute(*args, **options)
        except SiteError as error:
            raise CommandError(str(error)) from error  # Django prints the class's name

    def client(self, options: dict[str, Any]) -> Client:
        """A client for the site that the options name; raises NotRunning or NotReachable without one."""
        config = settings.CONFIG
        site = site_lock.running_site(config.data_dir)
        if site and options["host"] is None and options["port"] is None:
            if not site.port:
                raise NotReachable(f"The site ({site}) is still starting; try again shortly.")
            return Client(site.host, site.port, ours=site)
        port = config.port if options["port"] is None else options["port"]
        if not 0 < port < 65536:
            raise NotRunning(
                "No site of this data folder is running; give the port of another one with --port."
            )
        return Client(options["host"] or config.host, port, ours=site)


class ModelCommand(ClientCommand):
    """A command for one model of the running site."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("model", help="the model's id, or one of its aliases")
