"""What a browser sees of a websocket that is closed for it."""

import asyncio

from channels.testing import WebsocketCommunicator


async def refused(communicator: WebsocketCommunicator) -> int:
    """Open it and hear nothing but this code; of a socket that was never open a browser sees none."""
    is_accepted, _ = await communicator.connect(timeout=10)
    assert is_accepted
    message = await communicator.receive_output(timeout=5)
    assert message["type"] == "websocket.close", message
    await communicator.disconnect()
    return int(message["code"])


async def refusal(communicator: WebsocketCommunicator) -> int:
    """The code that an open socket is closed with, after whatever it still sends."""
    async with asyncio.timeout(10):
        while (message := await communicator.receive_output(timeout=5))["type"] == "websocket.send":
            continue
    return int(message["code"])
