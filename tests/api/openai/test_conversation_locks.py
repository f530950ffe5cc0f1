"""One response at a time in a conversation, at all fronts that share a real Redis."""

from pathlib import Path

import pytest

from inference.api.openai.responses.conversation_locks import ConversationLocks
from inference.core.errors import ConversationLocked, Unavailable
from inference.fronts.handlers import Handlers
from tests.redis_server import front_of, needs_redis, redis_server, until


async def test_a_conversation_is_held_once_until_it_is_released() -> None:
    locks = ConversationLocks(lambda: None, Handlers())
    hold = await locks.hold("key:a", "conv_1")
    with pytest.raises(ConversationLocked):
        await locks.hold("key:a", "conv_1")
    with pytest.raises(ConversationLocked):
        await locks.check("key:a", "conv_1")
    await locks.check("key:b", "conv_1")
    await hold.release()
    second = await locks.hold("key:a", "conv_1")
    await hold.release()  # a second time, while another response holds it
    with pytest.raises(ConversationLocked):
        await locks.check("key:a", "conv_1")
    await second.release()
    await locks.check("key:a", "conv_1")


@needs_redis
async def test_fronts_hold_it_once_together_and_refuse_while_nobody_knows(tmp_path: Path) -> None:
    with redis_server(tmp_path) as server:
        async with front_of(server) as front, front_of(server) as other:
            here = ConversationLocks(lambda: front, Handlers())
            there = ConversationLocks(lambda: other, Handlers())
            hold = await here.hold("key:a", "conv_1")
            for refuse in (there.hold, there.check):
                with pytest.raises(ConversationLocked):
                    await refuse("key:a", "conv_1")
            await hold.release()
            await (await there.hold("key:a", "conv_1")).release()
            server.stop()
            await until(lambda: front.is_lost)
            for refuse in (here.hold, here.check):
                with pytest.raises(Unavailable) as caught:
                    await refuse("key:a", "conv_1")
                assert caught.value.status == 503
            server.start()
            await until(lambda: not front.is_lost)
            await (await here.hold("key:a", "conv_1")).release()
