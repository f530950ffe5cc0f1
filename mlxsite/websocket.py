"""Daphne's websockets with fixes: what a client does wrong is not logged as an error of the server."""

from typing import Any

# Daphne must come first: it installs the asyncio reactor before Twisted picks another.
import daphne.server  # noqa: F401
from autobahn.websocket.types import ConnectionDeny
from daphne.ws_protocol import WebSocketProtocol


class StreamSocket(WebSocketProtocol):  # type: ignore[misc]  # untyped in daphne
    """One websocket connection."""

    def onConnect(self, request: Any) -> Any:  # noqa: N802 - autobahn's name
        # Upstream decodes this header as ASCII, and logs a traceback if that fails.
        if not request.headers.get("sec-websocket-protocol", "").isascii():
            raise ConnectionDeny(400, "Sec-WebSocket-Protocol must be ASCII")  # type: ignore[no-untyped-call]
        return super().onConnect(request)

    def serverSend(self, content: str | bytes, binary: bool = False) -> None:  # noqa: N802
        """Send if the connection is open.

        autobahn closes a connection that violates the protocol, or starts to close, before the application
        learns of it; sending would then raise.
        """
        if self.state in {self.STATE_CONNECTING, self.STATE_OPEN}:
            super().serverSend(content, binary)
