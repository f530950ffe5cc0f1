"""A TCP connection: what Twisted refuses itself is told in JSON, and a client that half-closes is answered.

Twisted answers a request that it cannot read with a bare status line, and takes the end of what a client
sends for the end of the connection. Both reach into its HTTPChannel, so
tests/mlxsite/test_connection.py proves each mend on a socket.
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
from inference.core.errors import HeadersTooLarge, InvalidRequest, ServerError

_LINGER_S = 2.0
_LOOK_S = 0.125
_PROBE_AFTER_S = 0.25  # streams begin before that, and what is written of them shows who has left
_PROBE_EVERY_S = 10.0
_OLD_WAIT_S = 3.0
_UNREADABLE = "This is no HTTP request that can be read: its first line, a header or a chunk is malformed."
_TOO_LARGE = "The first line and the headers are too large or too many; 16,384 bytes, 500 headers are read."
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


@implementer(IHalfCloseableProtocol)
class StreamChannel(HTTPChannel):  # type: ignore[misc]  # untyped in twisted
    """One client's connection; its requests come one after the other."""

    def __init__(self) -> None:
        super().__init__()
        self._is_half_closed = False
        self._is_refused = False
        self._looking: Any = None
        self._looks = 0

    # What Twisted refuses itself.

    def _respondToBadRequestAndDisconnect(self) -> None:  # noqa: N802 - Twisted's names
        is_too_large = (
            self._receivedHeaderSize > self.totalHeadersSize or self._receivedHeaderCount > self.maxHeaders
        )
        self._refuse(HeadersTooLarge(_TOO_LARGE) if is_too_large else InvalidRequest(_UNREADABLE))

    def lineLengthExceeded(self, line: bytes) -> None:  # noqa: N802
        self._refuse(HeadersTooLarge(_TOO_LARGE))

    def _refuse(self, refusal: ServerError) -> None:
        """Answer what cannot be read, read no more of it, and close once the client has had time to read."""
        if self._is_refused:
            return
        self._is_refused = True
        self.setTimeout(None)
        # What came with it must not be taken for a request, and closing on a client that still sends would
        # reset the connection and take our answer with it.
        self.dataReceived = self.lineReceived = self.rawDataReceived = _ignored
        body = errors.encode(refusal)
        reason = b"Bad Request" if refusal.status == 400 else b"Request Header Fields Too Large"
        self.transport.write(
            b"HTTP/1.1 %d %b\r\nContent-Type: application/json\r\nConnection: close\r\n"
            b"X-Content-Type-Options: nosniff\r\nContent-Length: %d\r\n\r\n%b"
            % (refusal.status, reason, len(body), body)
        )
        self._networkProducer.unregisterProducer()
        self.transport.loseWriteConnection()
        reactor.callLater(_LINGER_S, self.loseConnection)

    # A client that sends no more may still read, or have gone: both look the same until something is written.

    def readConnectionLost(self) -> None:  # noqa: N802
        """The client has sent all that it will send."""
        if not self._handlingRequest:
            self.loseConnection()
        elif not self._is_half_closed:
            self._is_half_closed = True
            self._looking = reactor.callLater(_LOOK_S, self._look)

    def writeConnectionLost(self) -> None:  # noqa: N802
        """We have closed our side, after a refusal."""

    def requestDone(self, request: Any) -> None:  # noqa: N802
        super().requestDone(request)
        if self._is_half_closed and not self._handlingRequest:
            self.loseConnection()

    def connectionLost(self, reason: Any) -> None:  # noqa: N802
        if self._looking and self._looking.active():
            self._looking.cancel()
        super().connectionLost(reason)

    def _look(self) -> None:
        """End the connection once the client's system has said that nobody reads there any more."""
        self._looks += 1
        if not self._handlingRequest:
            return
        has_left = self.transport.getHandle().getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if has_left or self._is_given_up:
            self.transport.abortConnection()
            return
        if (self._looks * _LOOK_S - _PROBE_AFTER_S) % _PROBE_EVERY_S == 0:
            self._probe()
        self._looking = reactor.callLater(_LOOK_S, self._look)

    @property
    def _is_given_up(self) -> bool:
        """Whether a client of HTTP/1.0, which can be told nothing before its answer, has waited too long.

        Such a client is a proxy more often than one that half-closes, and a proxy that closes has left.
        """
        request = self.requests[0]
        is_old = request.clientproto != b"HTTP/1.1" and not request.startedWriting
        return is_old and self._looks * _LOOK_S >= _OLD_WAIT_S

    def _probe(self) -> None:
        """Write what every client has to bear, so that the system of one that has gone answers."""
        request = self.requests[0]
        kinds = request.responseHeaders.getRawHeaders(b"content-type", [b""])
        if not request.startedWriting and request.clientproto == b"HTTP/1.1":
            self.transport.write(_CONTINUE)  # https://www.rfc-editor.org/rfc/rfc9110#section-15.2
        elif request.startedWriting and kinds[0].startswith(b"text/event-stream"):
            request.write_part(sse.KEEP_ALIVE)


def _ignored(data: bytes) -> None:
    return None
