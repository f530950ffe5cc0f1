"""Daphne's websockets with fixes.

What a client does wrong is not logged as an error of the server, and a client that sends faster than it is
read, or reads nothing itself, costs no memory: upstream keeps all of it.
"""

from typing import Any

# Daphne must come first: it installs the asyncio reactor before Twisted picks another.
import daphne.server  # noqa: F401
from autobahn.websocket.types import ConnectionDeny
from daphne.ws_protocol import WebSocketProtocol
from twisted.internet import reactor

_MOST_UNREAD = 16  # messages that the application has not taken yet
_LOOK_S = 0.02
_MOST_UNSENT = 2**20  # bytes that the client has not read yet


class StreamSocket(WebSocketProtocol):  # type: ignore[misc]  # untyped in daphne
    """One websocket connection."""

    _is_waiting = False

    def onConnect(self, request: Any) -> Any:  # noqa: N802 - autobahn's name
        # Upstream decodes this header as ASCII, and logs a traceback if that fails.
        if not request.headers.get("sec-websocket-protocol", "").isascii():
            raise ConnectionDeny(400, "Sec-WebSocket-Protocol must be ASCII")  # type: ignore[no-untyped-call]
        return super().onConnect(request)

    def onMessage(self, payload: bytes, isBinary: bool) -> None:  # noqa: N802, N803
        """Pass a message on, and read no more while the application has many to take."""
        super().onMessage(payload, isBinary)
        if not self._is_waiting and self.application_queue.qsize() >= _MOST_UNREAD:
            self._is_waiting = True
            self.transport.pauseProducing()
            reactor.callLater(_LOOK_S, self._read_on)

    def _read_on(self) -> None:
        if self.state == self.STATE_OPEN and self.application_queue.qsize() >= _MOST_UNREAD:
            reactor.callLater(_LOOK_S, self._read_on)
            return
        self._is_waiting = False
        self.transport.resumeProducing()

    def onPing(self, payload: bytes) -> None:  # noqa: N802
        """Answer a ping; a client that reads no answers is cut."""
        if len(self.transport.dataBuffer) + self.transport._tempDataLen > _MOST_UNSENT:
            self.dropConnection(abort=True)
            return
        super().onPing(payload)

    def serverSend(self, content: str | bytes, binary: bool = False) -> None:  # noqa: N802
        """Send if the connection is open.

        autobahn closes a connection that violates the protocol, or starts to close, before the application
        learns of it; sending would then raise.
        """
        if self.state in {self.STATE_CONNECTING, self.STATE_OPEN}:
            super().serverSend(content, binary)
