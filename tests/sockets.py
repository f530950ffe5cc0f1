"""What a browser sees of a websocket that is closed for it."""

import asyncio

from channels.testing import WebsocketCommunicator


async def refused(communicator: WebsocketCommunicator) -> int:
    """Open it and hear nothing but this code; of a socket that was never open a browser sees none."""
    is_accepted, _ = await communicator.connect()
    assert is_accepted
    told = await communicator.receive_output(timeout=5)
    assert told["type"] == "websocket.close", told
    await communicator.disconnect()
    return int(told["code"])


async def refusal(communicator: WebsocketCommunicator) -> int:
    """The code that an open socket is closed with, after whatever it still tells."""
    async with asyncio.timeout(10):
        while (told := await communicator.receive_output(timeout=5))["type"] == "websocket.send":
            continue
    return int(told["code"])
