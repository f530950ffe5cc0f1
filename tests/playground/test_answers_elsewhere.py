"""An answer that another front of the site is making: found, read along and stopped over a real Redis."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import AsyncExitStack
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from asgiref.sync import sync_to_async
from django.utils import timezone

from inference.core.errors import Unavailable
from inference.core.events import Accepted, Event, TextDelta
from inference.fronts import scripts
from inference.fronts.handlers import Handlers
from playground.answers_elsewhere import AnswersElsewhere
from playground.changes import MISSED, Changes
from playground.models import Conversation, Message
from playground.running_answers import RunningAnswers
from tests.redis_server import RedisServer, front_of, needs_redis, redis_server, until

pytestmark = [needs_redis, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with redis_server(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
async def two(shared: RedisServer) -> AsyncIterator[list[Any]]:
    """Two fronts with the answers and open pages of each."""
    made = []
    async with AsyncExitStack() as stack:
        for _ in range(2):
            handlers = Handlers()
            front = await stack.enter_async_context(front_of(shared, handlers))
            find = lambda front=front: front  # noqa: E731
            answers = RunningAnswers(find, handlers)
            elsewhere = AnswersElsewhere(answers, find_front=find, handlers=handlers)
            changes = Changes(find, handlers)
            made.append(SimpleNamespace(front=front, answers=answers, elsewhere=elsewhere, changes=changes))
        yield made


def new_message() -> Message:
    conversation = Conversation.objects.create(changed_at=timezone.now())
    return Message.objects.create(conversation=conversation, role="assistant", status="answering", model="m")


async def endless() -> AsyncGenerator[Event]:
    yield Accepted(prompt_tokens=1)
    number = 0
    while True:
        yield TextDelta(text=f"{number} ", tokens=1)
        number += 1
        await asyncio.sleep(0.02)


async def begun(at: Any) -> Message:
    message = await sync_to_async(new_message)()
    assert await at.answers.claim(message, "local:")
    at.answers.start(message, "local:", endless())
    return message


def events_of(frames: bytes) -> list[dict[str, Any]]:
    lines = [line for line in frames.splitlines() if line.startswith(b"data: ")]
    return [msgspec.json.decode(line[6:]) for line in lines]


async def test_it_is_found_read_along_and_stopped(two: list[Any]) -> None:
    here, there = two
    message = await begun(there)
    read = [{"id": message.pk, "status": "answering"}]
    assert await here.answers.claims.conversations_of("local:") == [str(message.conversation_id)]
    assert await here.answers.claims.conversations_of("user:ann") == []
    assert await here.answers.elsewhere(read) == {message.pk}
    assert not await here.answers.claim(message, "local:")  # one answer at a time
    assert not await there.answers.claim(message, "local:")  # nor in another window
    other = await here.elsewhere.find(message.pk)
    assert other and other.front == there.front.id
    texts: list[str] = []
    async for frames in here.elsewhere.frames(message.pk, other):
        for event in events_of(frames):
            texts += [event["text"]] if event["type"] == "text" else []
            last = event
        if len(texts) == 5:
            await here.elsewhere.stop([message.pk])
    assert last["type"] == "answer" and last["answer"]["status"] == "stopped"
    assert last["answer"]["content"].split()[-3:] == [text.strip() for text in texts][-3:]
    await sync_to_async(message.refresh_from_db)()
    assert message.content == last["answer"]["content"]
    assert there.answers.get(message.pk) is None
    await asyncio.sleep(0.1)
    assert await here.answers.elsewhere(read) == frozenset()


async def test_one_whose_front_ended_counts_as_stopped_and_one_unknown_does_not(
    two: list[Any], shared: RedisServer
) -> None:
    here, there = two
    message = await begun(there)
    read = [{"id": message.pk, "status": "answering"}]
    await there.front.run_script(scripts.LEAVE, "fronts", args=(there.front.id,))  # as if it had been killed
    ended = await here.answers.elsewhere(read)
    assert here.answers.reconciled(read, ended)[0]["status"] == "stopped"
    shared.stop()
    await until(lambda: here.front.is_lost and there.front.is_lost)
    unknown = await here.answers.elsewhere(read)
    assert here.answers.reconciled(read, unknown)[0]["status"] == "answering"
    with pytest.raises(Unavailable):
        await here.elsewhere.stop([message.pk])
    with pytest.raises(Unavailable):
        await here.elsewhere.has_any([message.pk])
    there.answers.get(message.pk).stop()
    await there.answers.get(message.pk).join()


async def test_a_change_comes_to_the_pages_of_all_fronts_within_a_second(two: list[Any]) -> None:
    here, there = two
    with here.changes.listening("local:") as page, here.changes.listening("user:ann") as other:
        there.changes.publish_everywhere("local:", {"type": "listed"})
        async with asyncio.timeout(1):
            assert await page.get() == {"type": "listed"}
        here.changes.publish_to_all(MISSED)
        assert page.get_nowait() == other.get_nowait() == MISSED
