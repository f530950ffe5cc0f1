"""One HTTP request of Daphne with limits: its body is bounded, and its answer waits for a slow reader.

It overrides private parts of Daphne 4.2; mlxsite/server.py says which and why.
"""

import asyncio
from functools import cached_property
from io import BytesIO
from typing import Any

# Daphne must come first: it installs the asyncio reactor before Twisted picks another.
import daphne.server  # noqa: F401
from daphne import http_protocol
from twisted.internet import reactor
from twisted.internet.interfaces import IPushProducer
from twisted.internet.tcp import Connection
from twisted.web.http import Request
from zope.interface import implementer

from inference.api.http import errors
from inference.core import request_id
from inference.core.errors import BodyTooLarge, InternalError, InvalidRequest, ServerError
from mlxsite import access_log

_LINGER_S = 2.0


def _is_drained(transport: Any) -> bool:
    """Whether this is a plain TCP connection of Twisted with no buffered data."""
    return (
        isinstance(transport, Connection)
        and bool(transport.connected)
        and not transport.disconnecting
        and not transport.dataBuffer
        and not getattr(transport, "_tempDataBuffer", True)
    )


@implementer(IPushProducer)
class Flow:
    """Flow control of one answer: Twisted pauses it while the socket's buffer is full."""

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
        """Wait until the client reads again; False if it does not within `limit_s`."""
        try:
            async with asyncio.timeout(limit_s):
                await self._is_open.wait()
        except TimeoutError:
            return False
        return True


class StreamRequest(http_protocol.WebRequest):  # type: ignore[misc]  # untyped in daphne
    """One HTTP request with a bounded body and a bounded buffer for its answer."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.flow: Flow | None = None
        self.received = 0  # bytes of the body
        self._is_refused = False
        # Twisted would parse forms into memory, where nobody uses them: Django parses them itself.
        self._parsePOSTFormSubmission = False

    # The body. Daphne 4.2.3 calls the application only once all of it has arrived (upstream issue 288), so
    # the application cannot reject a large upload; Twisted reports the length and each chunk as they arrive.

    def gotLength(self, length: int | None) -> None:  # noqa: N802
        if length is not None and length > self._body_limit:
            self.content = BytesIO()
            self._refuse_body()
            return
        super().gotLength(length)

    def handleContentChunk(self, data: bytes) -> None:  # noqa: N802
        if self._is_refused:
            return
        self.received += len(data)
        if self.received > self._body_limit:
            self._refuse_body()
            return
        super().handleContentChunk(data)

    @cached_property
    def _body_limit(self) -> int:
        limit: int = self.server.body_limit(self._request_path)
        return limit

    def process(self) -> Any:
        if self._is_refused:
            self.channel.loseConnection()
            return None
        # Upstream trusts it from any client: it would become the prefix of every URL that Django builds.
        self.requestHeaders.removeHeader(b"daphne-root-path")
        return super().process()

    def _refuse_body(self) -> None:
        """Answer 413, and close the connection after _LINGER_S in which further input is ignored."""
        self._is_refused = True
        self.channel.ignore_the_rest()
        body = self._encoded(BodyTooLarge(errors.BODY_TOO_LARGE))
        self.channel.transport.write(
            b"HTTP/1.1 413 Content Too Large\r\nContent-Type: application/json\r\nConnection: close\r\n"
            b"X-Content-Type-Options: nosniff\r\nX-Request-Id: %b\r\nContent-Length: %d\r\n\r\n%b"
            % (self._note_refusal(413, len(body)), len(body), body)
        )
        # Closing while the client still sends would reset the connection, and the error would be lost.
        reactor.callLater(_LINGER_S, self._hang_up)

    def _hang_up(self) -> None:
        """Close once written data is sent, without a proper end, so that the client sees it is incomplete."""
        if self.channel is not None:
            if self.producer:
                self.unregisterProducer()
            self.channel.loseConnection()

    def abort(self) -> None:
        """Close at once and drop unsent data."""
        if self.channel is not None:
            self.channel.forceAbortClient()

    # The answer. Daphne never waits for a slow reader (upstream issue 170, open since 2018).

    def handle_reply(self, message: dict[str, Any]) -> None:
        super().handle_reply(message)
        has_started = message["type"] == "http.response.start"
        if has_started and not self.finished and self.channel is not None:
            self.flow = Flow()
            self.registerProducer(self.flow, True)

    def write_part(self, part: bytes) -> None:
        """Send the next part of an answer, immediately if the socket accepts it.

        Twisted would send it at the next iteration of its loop, which costs more than generating a token.
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
            transport.write(chunk)  # an error: Twisted gets it again and closes
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
        # Upstream answers 500 even if the answer has started; that raises inside Daphne's timeout checker,
        # which never runs again, and the client waits forever.
        if self._response_started:
            self._hang_up()
        else:
            super().handle_exception(exception)

    def basic_error(self, status: int, status_text: bytes, body: str) -> None:
        # Upstream writes an HTML page; the clients of /v1 read JSON.
        error: ServerError = InternalError(errors.INTERNAL) if status >= 500 else InvalidRequest(body)
        encoded = self._encoded(error)
        headers = [
            (b"Content-Type", b"application/json"),
            (b"X-Content-Type-Options", b"nosniff"),
            (b"X-Request-Id", self._note_refusal(status, len(encoded))),
        ]
        self.handle_reply({"type": "http.response.start", "status": status, "headers": headers})
        self.handle_reply({"type": "http.response.body", "body": encoded})

    def _encoded(self, error: ServerError) -> bytes:
        """The error in the form of the API whose address was asked: known before the request is whole."""
        return errors.encoder_of(self._request_path)(error)

    @property
    def _request_path(self) -> str:
        address = self.uri if self.uri.startswith(b"/") else getattr(self.channel, "_path", b"")
        return str(address.partition(b"?")[0].decode("latin-1"))

    def _note_refusal(self, status: int, size: int) -> bytes:
        """Note an error that the application did not answer with; returns the request's id."""
        made = request_id.usable((self.getHeader(b"x-request-id") or b"").decode("latin-1"))
        if status < 500:  # otherwise the application has failed, which is noted
            method = getattr(self.channel, "_command", b"-").decode("latin-1")
            client = str(getattr(self.channel.getPeer(), "host", "-"))
            access_log.note(method, self._request_path, status, size, 0.0, client)
        return made.encode()
