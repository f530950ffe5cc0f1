"""A TCP connection: Twisted's own errors become JSON, and a client that half-closes still gets its answer.

Twisted answers a request that it cannot parse with a bare status line, and treats a half-closed connection as
closed. This module changes both, and depends on private parts of HTTPChannel for it, so
tests/mlxsite/test_connection.py tests each change on a socket.
"""

import socket
from typing import Any

# Daphne must come first: it installs the asyncio reactor before Twisted picks another.
import daphne.server  # noqa: F401
from twisted.internet import reactor
from twisted.internet.interfaces import IHalfCloseableProtocol
from twisted.web.http import HTTPChannel
from zope.interface import implementer

from inference.api.http import errors, sse
from inference.core import request_id
from inference.core.errors import (
    HeadersTooLarge,
    InvalidRequest,
    RequestTooSlow,
    ServerError,
    TooManyConnections,
)
from mlxsite import access_log
from mlxsite.arrival import Arrival

_LINGER_S = 2.0
_POLL_S = 0.125
_PROBE_AFTER_S = 0.25  # most streams start before that, and their own writes show which clients have left
_PROBE_EVERY_S = 10.0
_HTTP_1_0_LIMIT_S = 3.0
_MALFORMED = "The HTTP request is malformed: its first line, a header or a chunk cannot be parsed."
_TOO_LARGE = "The headers are too large; the limit is 16,384 bytes and 500 headers, with the first line."
_TOO_SLOW = "The request did not arrive in time. Send its headers and its body without pauses."
_TOO_MANY = "This address has too many connections to the server. Close some first."
_REASONS = {
    400: b"Bad Request",
    408: b"Request Timeout",
    429: b"Too Many Requests",
    431: b"Request Header Fields Too Large",
}
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


@implementer(IHalfCloseableProtocol)
class StreamChannel(HTTPChannel):  # type: ignore[misc]  # untyped in twisted
    """One client's connection, whose requests are handled one after the other.

    When a client half-closes the connection during a request, it may still read the answer, or it may have
    left: TCP does not say which until something is written. `readConnectionLost` then starts to poll:

    1. Every _POLL_S, abort the connection if the operating system has reported an error on the socket.
    2. After _PROBE_AFTER_S, and every _PROBE_EVERY_S from then on, write what every client must ignore (a
       100 Continue, or a comment in an event stream); the system of a client that has left answers with a
       reset, which the next poll sees.
    3. A client of HTTP/1.0 cannot be probed before its answer starts: give up after _HTTP_1_0_LIMIT_S.
    4. `requestDone` closes the connection after the answer.
    """

    def __init__(self) -> None:
        super().__init__()
        self._is_half_closed = False
        self._is_refused = False
        self._poll_call: Any = None
        self._polls = 0
        self._arrival: Arrival  # set once it is connected

    # What a client may have: a place, and a time for its request.

    def connectionMade(self) -> None:  # noqa: N802 - Twisted's names
        super().connectionMade()
        server = self.factory.server
        self._arrival = Arrival(server.arrival_s, lambda: self._refuse(RequestTooSlow(_TOO_SLOW)))
        if not server.open_connections.admit(self._client, self.transport):
            self._refuse(TooManyConnections(_TOO_MANY))

    def dataReceived(self, data: bytes) -> None:  # noqa: N802
        if not self._handlingRequest:
            self._arrival.begin()
        super().dataReceived(data)

    def allHeadersReceived(self) -> None:  # noqa: N802
        request = self.requests[-1]
        self._arrival.begin_body(lambda: request.received)
        super().allHeadersReceived()

    def allContentReceived(self) -> None:  # noqa: N802
        self._arrival.end()
        super().allContentReceived()

    def ignore_the_rest(self) -> None:
        """The request is refused: nothing more of it is awaited."""
        self._arrival.close()

    # Errors that Twisted answers itself.

    def _respondToBadRequestAndDisconnect(self) -> None:  # noqa: N802 - Twisted's names
        is_too_large = (
            self._receivedHeaderSize > self.totalHeadersSize or self._receivedHeaderCount > self.maxHeaders
        )
        self._refuse(HeadersTooLarge(_TOO_LARGE) if is_too_large else InvalidRequest(_MALFORMED))

    def lineLengthExceeded(self, line: bytes) -> None:  # noqa: N802
        self._refuse(HeadersTooLarge(_TOO_LARGE))

    @property
    def _client(self) -> str:
        return str(getattr(self.transport.getPeer(), "host", "-"))

    def _refuse(self, refusal: ServerError) -> None:
        """Send an error, ignore further input, and close once the client has had time to read the error."""
        if self._is_refused:
            return
        self._is_refused = True
        self._arrival.close()
        self.setTimeout(None)
        # Further input must not be parsed as a request. Closing while the client still sends would reset the
        # connection, and the client would lose the error.
        for name in ("dataReceived", "lineReceived", "rawDataReceived"):
            setattr(self, name, _ignore)
        body = errors.encode(refusal)
        access_log.note("-", "-", refusal.status, len(body), 0.0, self._client)
        self.transport.write(
            b"HTTP/1.1 %d %b\r\nContent-Type: application/json\r\nConnection: close\r\n"
            b"X-Content-Type-Options: nosniff\r\nX-Request-Id: %b\r\nContent-Length: %d\r\n\r\n%b"
            % (refusal.status, _REASONS[refusal.status], request_id.usable().encode(), len(body), body)
        )
        self._networkProducer.unregisterProducer()
        self.transport.loseWriteConnection()
        reactor.callLater(_LINGER_S, self.loseConnection)

    # A half-closed connection.

    def readConnectionLost(self) -> None:  # noqa: N802
        """The client has closed its sending side."""
        if not self._handlingRequest:
            self.loseConnection()
        elif not self._is_half_closed:
            self._is_half_closed = True
            self._poll_call = reactor.callLater(_POLL_S, self._poll)

    def writeConnectionLost(self) -> None:  # noqa: N802
        """Our side is closed, after an error; nothing is left to do."""

    def requestDone(self, request: Any) -> None:  # noqa: N802
        super().requestDone(request)
        if self._is_half_closed and not self._handlingRequest:
            self.loseConnection()

    def connectionLost(self, reason: Any) -> None:  # noqa: N802
        if self._poll_call and self._poll_call.active():
            self._poll_call.cancel()
        self._arrival.close()
        super().connectionLost(reason)

    def _poll(self) -> None:
        """Abort the connection if the client has left; otherwise probe when it is time, and poll again."""
        self._polls += 1
        if not self._handlingRequest:
            return
        has_left = self.transport.getHandle().getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if has_left or self._is_past_http_1_0_limit:
            self.transport.abortConnection()
            return
        if (self._polls * _POLL_S - _PROBE_AFTER_S) % _PROBE_EVERY_S == 0:
            self._probe()
        self._poll_call = reactor.callLater(_POLL_S, self._poll)

    @property
    def _is_past_http_1_0_limit(self) -> bool:
        """Whether a client of HTTP/1.0, which cannot be probed before its answer, has waited too long.

        Such a client is usually a proxy that has left, and rarely one that half-closes.
        """
        request = self.requests[0]
        is_old = request.clientproto != b"HTTP/1.1" and not request.startedWriting
        return is_old and self._polls * _POLL_S >= _HTTP_1_0_LIMIT_S

    def _probe(self) -> None:
        """Write what every client must ignore; the system of a client that has left answers with a reset."""
        request = self.requests[0]
        kinds = request.responseHeaders.getRawHeaders(b"content-type", [b""])
        if not request.startedWriting and request.clientproto == b"HTTP/1.1":
            self.transport.write(_CONTINUE)  # https://www.rfc-editor.org/rfc/rfc9110#section-15.2
        elif request.startedWriting and kinds[0].startswith(b"text/event-stream"):
            request.write_part(sse.KEEP_ALIVE)


def _ignore(data: bytes) -> None:
    return None
