"""Daphne with limits: bodies are cut at the door, slow readers slow their stream down, broken streams end.

Daphne takes a body of any size before it calls the application, never waits for a reader, and leaves a
client hanging when a started answer fails. Each override names the upstream code it mends; they reach into
Daphne 4.2, so pyproject.toml pins it and tests/mlxsite/test_server.py proves each of them on a socket.
"""

import asyncio
from collections.abc import Callable
from io import BytesIO
from typing import Any

# Daphne must come first: it installs the asyncio reactor before Twisted picks another.
import daphne.server
from daphne import http_protocol, ws_protocol
from daphne.endpoints import build_endpoint_description_strings
from twisted.internet import reactor
from twisted.internet.interfaces import IPushProducer
from twisted.internet.tcp import Connection
from twisted.web.http import Request
from zope.interface import implementer

from inference.api.http import errors
from inference.core.errors import BodyTooLarge, InternalError, InvalidRequest, ServerError
from inference.serving import site_lock
from mlxsite.connection import StreamChannel
from mlxsite.websocket import StreamSocket

_LINGER_S = 2.0
_BACKLOG = 1024


def _is_drained(transport: Any) -> bool:
    """Whether this is a plain TCP connection of Twisted's that holds nothing back."""
    return (
        isinstance(transport, Connection)
        and bool(transport.connected)
        and not transport.disconnecting
        and not transport.dataBuffer
        and not getattr(transport, "_tempDataBuffer", True)
    )


@implementer(IPushProducer)
class Flow:
    """Whether the client still reads: Twisted pauses it while the socket's buffer is full."""

    def __init__(self) -> None:
        self._is_open = asyncio.Event()
        self._is_open.set()

    def pauseProducing(self) -> None:  # noqa: N802 - Twisted's names
        self._is_open.clear()

    def resumeProducing(self) -> None:  # noqa: N802
        self._is_open.set()

    def stopProducing(self) -> None:  # noqa: N802
        self._is_open.set()

    @property
    def is_open(self) -> bool:
        return self._is_open.is_set()

    async def wait(self, limit_s: float) -> bool:
        """Wait until there is room; False when there was none for `limit_s`."""
        try:
            async with asyncio.timeout(limit_s):
                await self._is_open.wait()
        except TimeoutError:
            return False
        return True


class StreamRequest(http_protocol.WebRequest):  # type: ignore[misc]  # untyped in daphne
    """One HTTP request with a bounded body and a bounded answer."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.flow: Flow | None = None
        self._received = 0
        self._is_refused = False
        # Twisted would parse forms into memory for nobody: Django parses them itself.
        self._parsePOSTFormSubmission = False

    # The body. Daphne 4.2.3 calls the application only once all of it is there (upstream issue 288), so
    # nothing behind it can refuse an upload; Twisted tells the length and each chunk as they come.

    def gotLength(self, length: int | None) -> None:  # noqa: N802
        if length is not None and length > self.server.max_body_bytes:
            self.content = BytesIO()
            self._refuse_body()
            return
        super().gotLength(length)

    def handleContentChunk(self, data: bytes) -> None:  # noqa: N802
        if self._is_refused:
            return
        self._received += len(data)
        if self._received > self.server.max_body_bytes:
            self._refuse_body()
            return
        super().handleContentChunk(data)

    def process(self) -> Any:
        if self._is_refused:
            self.channel.loseConnection()
            return None
        # Upstream believes it of anybody: it would be the beginning of every address that Django makes.
        self.requestHeaders.removeHeader(b"daphne-root-path")
        return super().process()

    def _refuse_body(self) -> None:
        self._is_refused = True
        body = errors.encode(BodyTooLarge(errors.BODY_TOO_LARGE))
        self.channel.transport.write(
            b"HTTP/1.1 413 Content Too Large\r\nContent-Type: application/json\r\nConnection: close\r\n"
            b"X-Content-Type-Options: nosniff\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
        )
        # Closing on a client that still sends would reset the connection and take our answer with it, so
        # what it sends is thrown away for a moment first.
        reactor.callLater(_LINGER_S, self._hang_up)

    def _hang_up(self) -> None:
        """Close once what was written has been sent; without a proper end, so the client sees it was cut."""
        if self.channel is not None:
            if self.producer:
                self.unregisterProducer()
            self.channel.loseConnection()

    def abort(self) -> None:
        """Close at once and drop what was not sent yet."""
        if self.channel is not None:
            self.channel.forceAbortClient()

    # The answer. Daphne never waits for a reader (upstream issue 170, open since 2018).

    def handle_reply(self, message: dict[str, Any]) -> None:
        super().handle_reply(message)
        has_started = message["type"] == "http.response.start"
        if has_started and not self.finished and self.channel is not None:
            self.flow = Flow()
            self.registerProducer(self.flow, True)

    def write_part(self, part: bytes) -> None:
        """Send the next part of an answer, at once where the socket takes it.

        Twisted sends at the next turn of its loop, which for a single token costs more than the token.
        """
        if self.finished or self.channel is None:
            return
        transport = self.channel.transport
        if not (self.startedWriting and self.chunked and part and _is_drained(transport)):
            Request.write(self, part)
            return
        self.sentLength += len(part)
        chunk = b"%x\r\n%b\r\n" % (len(part), part)
        sent = transport.writeSomeData(chunk)
        if not isinstance(sent, int):
            transport.write(chunk)  # an error: Twisted meets it again, and closes
        elif sent < len(chunk):
            transport.write(chunk[sent:])

    def finish(self) -> None:
        if self.flow and self.channel is not None:
            self.unregisterProducer()
        super().finish()

    def connectionLost(self, reason: Any) -> None:  # noqa: N802
        if self.flow:
            self.flow.stopProducing()
        super().connectionLost(reason)

    def handle_exception(self, exception: BaseException) -> None:
        # Upstream answers 500 even when the answer has begun; that raises inside Daphne's housekeeping
        # timer, which never runs again, and the client waits for ever.
        if self._response_started:
            self._hang_up()
        else:
            super().handle_exception(exception)

    def basic_error(self, status: int, status_text: bytes, body: str) -> None:
        # Upstream writes an HTML page; the clients of /v1 read JSON.
        told: ServerError = InternalError(errors.INTERNAL) if status >= 500 else InvalidRequest(body)
        headers = [(b"Content-Type", b"application/json"), (b"X-Content-Type-Options", b"nosniff")]
        self.handle_reply({"type": "http.response.start", "status": status, "headers": headers})
        self.handle_reply({"type": "http.response.body", "body": errors.encode(told)})


class StreamServer(daphne.server.Server):  # type: ignore[misc]  # untyped in daphne
    """Serves one ASGI application on one address; `run` blocks until `stop`.

    `on_ready` is called on the loop once the address is listened on. When it cannot be, `run` returns at
    once and `listen_failure` says why. Signals are the caller's. A reader that takes nothing for `stall_s`
    loses its connection.
    """

    def __init__(
        self,
        application: Any,
        *,
        host: str,
        port: int,
        max_body_bytes: int,
        on_ready: Callable[[], None],
        stall_s: float = 60.0,
    ) -> None:
        super().__init__(
            application,
            # Twisted's 50 are soon full, and a client that finds no room tries again after whole seconds.
            endpoints=[
                f"{endpoint}:backlog={_BACKLOG}"
                for endpoint in build_endpoint_description_strings(host=host, port=port)
            ],
            signal_handlers=False,
            server_name="mlxsite",
        )
        self.max_body_bytes = max_body_bytes
        self.stall_s = stall_s
        self.listen_failure = ""
        self._on_ready = on_ready

    @property
    def address(self) -> str:
        """The URL of what is listened on, with the real port where 0 was asked for."""
        return site_lock.url(*self.listening_addresses[0])

    @property
    def port(self) -> int:
        return int(self.listening_addresses[0][1])

    def run(self) -> None:
        # Daphne's factories name their classes in module globals, and offer no other way in.
        http_protocol.WebRequest = StreamRequest
        http_protocol.HTTPFactory.protocol = StreamChannel
        ws_protocol.WebSocketFactory.protocol = StreamSocket
        super().run()

    async def drain(self, limit_s: float) -> None:
        """Wait until the requests now being answered have been, at most `limit_s`."""
        answering = [
            details["application_instance"]
            for protocol, details in self.connections.items()
            if isinstance(protocol, StreamRequest) and "application_instance" in details
        ]
        if answering:
            await asyncio.wait(answering, timeout=limit_s)

    def listen_success(self, port: Any) -> None:
        super().listen_success(port)
        reactor.callWhenRunning(self._on_ready)

    def listen_error(self, failure: Any) -> None:
        # Upstream logs it as well; `run`'s caller says it once.
        why = getattr(failure.value, "socketError", failure.value)
        self.listen_failure = getattr(why, "strerror", None) or str(why)
        self.stop()

    async def handle_reply(self, protocol: Any, message: dict[str, Any]) -> None:
        flow = getattr(protocol, "flow", None)
        if not (flow and message.get("more_body")):
            await super().handle_reply(protocol, message)
            return
        protocol.write_part(message.get("body", b""))
        if not flow.is_open and not await flow.wait(self.stall_s):
            protocol.abort()

    def kill_all_applications(self) -> Any:
        # Upstream reads details["application_instance"] of every connection; one whose body is still
        # arriving has none yet, and the KeyError kept all the others from being told.
        nothing = asyncio.get_running_loop().create_future()
        nothing.set_result(None)
        for details in self.connections.values():
            details.setdefault("application_instance", nothing)
        return super().kill_all_applications()
