"""Daphne's websockets with mends: whatever a client does is its own affair and no error of the server."""

from typing import Any

# Daphne must come first: it installs the asyncio reactor before Twisted picks another.
import daphne.server  # noqa: F401
from autobahn.websocket.types import ConnectionDeny
from daphne.ws_protocol import WebSocketProtocol


class StreamSocket(WebSocketProtocol):  # type: ignore[misc]  # untyped in daphne
    """One websocket."""

    def onConnect(self, request: Any) -> Any:  # noqa: N802 - autobahn's name
        # Upstream decodes this header as ASCII, and logs a traceback where it is not.
        if not request.headers.get("sec-websocket-protocol", "").isascii():
            raise ConnectionDeny(400, "Sec-WebSocket-Protocol must be ASCII")  # type: ignore[no-untyped-call]
        return super().onConnect(request)

    def serverSend(self, content: str | bytes, binary: bool = False) -> None:  # noqa: N802
        """Send, as long as anybody can hear it.

        One that broke the protocol, or has begun to close, is gone for autobahn before its application knows,
        and sending to it raises.
        """
        if self.state in {self.STATE_CONNECTING, self.STATE_OPEN}:
            super().serverSend(content, binary)
