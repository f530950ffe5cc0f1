"""Daphne with limits: bounded bodies, deadlines, flow control for slow readers, an end for failed streams.

Daphne accepts a body of any size before it calls the application, never waits for a slow reader, and leaves
the client waiting when a started answer fails. Each override names the upstream behaviour that it changes.
They use private parts of Daphne 4.2, so pyproject.toml pins it, and tests/mlxsite/test_server.py tests each
of them on a socket.
"""

import asyncio
from collections.abc import Callable
from typing import Any

# Daphne must come first: it installs the asyncio reactor before Twisted picks another.
import daphne.server
from daphne import http_protocol, ws_protocol
from daphne.endpoints import build_endpoint_description_strings
from twisted.internet import reactor

from inference.api.http import dialects
from inference.serving import site_lock
from mlxsite.connection import StreamChannel
from mlxsite.open_connections import OpenConnections
from mlxsite.stream_request import StreamRequest
from mlxsite.websocket import StreamSocket

_BACKLOG = 1024


class StreamServer(daphne.server.Server):  # type: ignore[misc]  # untyped in daphne
    """Serves one ASGI application on one address; `run` blocks until `stop`.

    `on_ready` is called on the event loop once the server listens. If it cannot listen, `run` returns at once
    and `listen_failure` says why. The caller handles signals. A client that reads nothing for `stall_s`
    seconds is disconnected, and so is one whose request does not arrive in time: `arrival_s` seconds for its
    headers, and a pace for its body. Bodies that may have pictures may have `picture_body_bytes`, where that
    is more than `max_body_bytes`. `connections_of_one` is the most connections of one address, unless it
    is in `trusted_proxies`.
    """

    def __init__(
        self,
        application: Any,
        *,
        host: str,
        port: int,
        max_body_bytes: int,
        on_ready: Callable[[], None],
        picture_body_bytes: int = 0,
        stall_s: float = 60.0,
        arrival_s: float = 30.0,
        connections_of_one: int = 1024,
        trusted_proxies: str = "",
    ) -> None:
        super().__init__(
            application,
            # Twisted's 50 are soon full, and a client that is not accepted retries only after seconds.
            endpoints=[
                f"{endpoint}:backlog={_BACKLOG}"
                for endpoint in build_endpoint_description_strings(host=host, port=port)
            ],
            signal_handlers=False,
            server_name="mlxsite",
            websocket_max_message_size=max(max_body_bytes, picture_body_bytes),
            websocket_max_frame_size=max(max_body_bytes, picture_body_bytes),
        )
        self._max_body_bytes = max_body_bytes
        self._picture_body_bytes = max(max_body_bytes, picture_body_bytes)
        self.stall_s = stall_s
        self.arrival_s = arrival_s
        self.open_connections = OpenConnections(connections_of_one, trusted_proxies)
        self.listen_failure = ""
        self._on_ready = on_ready

    @property
    def address(self) -> str:
        """The URL of the server, with the actual port if port 0 was requested."""
        return site_lock.url(*self.listening_addresses[0])

    @property
    def port(self) -> int:
        return int(self.listening_addresses[0][1])

    def run(self) -> None:
        # Daphne's factories take their classes from module globals, and offer no other way to replace them.
        http_protocol.WebRequest = StreamRequest
        http_protocol.HTTPFactory.protocol = StreamChannel
        ws_protocol.WebSocketFactory.protocol = StreamSocket
        super().run()

    def body_limit(self, path: str) -> int:
        """The most bytes that the body of a request to this path may have."""
        return self._picture_body_bytes if dialects.takes_pictures(path) else self._max_body_bytes

    async def drain(self, limit_s: float) -> None:
        """Wait until the active requests have finished, at most `limit_s` seconds."""
        active = [
            details["application_instance"]
            for protocol, details in self.connections.items()
            if isinstance(protocol, StreamRequest) and "application_instance" in details
        ]
        if active:
            await asyncio.wait(active, timeout=limit_s)

    def listen_success(self, port: Any) -> None:
        super().listen_success(port)
        reactor.callWhenRunning(self._on_ready)

    def listen_error(self, failure: Any) -> None:
        # Upstream logs it, too; the caller of `run` reports it.
        cause = getattr(failure.value, "socketError", failure.value)
        self.listen_failure = getattr(cause, "strerror", None) or str(cause)
        self.stop()

    async def handle_reply(self, protocol: Any, message: dict[str, Any]) -> None:
        """Send a part of an answer, then wait until the client reads again; abort it after `stall_s`."""
        flow = getattr(protocol, "flow", None)
        if not (flow and message.get("more_body")):
            await super().handle_reply(protocol, message)
            return
        protocol.write_part(message.get("body", b""))
        if not flow.is_open and not await flow.wait(self.stall_s):
            protocol.abort()

    def kill_all_applications(self) -> Any:
        # Upstream reads details["application_instance"] of every connection; a connection whose body is still
        # arriving has none, and the KeyError would keep all others from being closed.
        finished = asyncio.get_running_loop().create_future()
        finished.set_result(None)
        for details in self.connections.values():
            details.setdefault("application_instance", finished)
        return super().kill_all_applications()
