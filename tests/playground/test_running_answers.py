"""An answer under way: every reader has all of it, and a save builds it once."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import msgspec
import pytest
from django.utils import timezone

from inference.core.events import Accepted, Ended, Event, Finished, TextDelta, Usage
from playground.answer_stream import AnswerState
from playground.models import Message
from playground.running_answers import RunningAnswer

pytestmark = pytest.mark.django_db(transaction=True)
END = (Ended(reason="stop"), Finished(usage=Usage(prompt_tokens=1)))


class Source:
    """Events that come when they are sent."""

    def __init__(self) -> None:
        self._sent: asyncio.Queue[Event] = asyncio.Queue()

    async def send(self, *events: Event) -> None:
        """Send events, and return once the run has taken note of them."""
        for event in events:
            self._sent.put_nowait(event)
        while not self._sent.empty():
            await asyncio.sleep(0)
        await asyncio.sleep(0)

    async def events(self) -> AsyncGenerator[Event]:
        event: Event | None = None
        while not isinstance(event, Finished):
            event = await self._sent.get()
            yield event


def deltas(*texts: str) -> list[Event]:
    return [TextDelta(text=text) for text in texts]


def begin(source: Source) -> RunningAnswer:
    message = Message(pk=1, role="assistant", status="answering", created_at=timezone.now())
    return RunningAnswer(message, "local", source.events())


def events_of(frames: bytes) -> list[dict[str, Any]]:
    lines = [line for line in frames.splitlines() if line.startswith(b"data: ")]
    return [msgspec.json.decode(line[6:]) for line in lines]


class Reader:
    """A page that joins an answer: what it shows grows with each event."""

    def __init__(self, run: RunningAnswer) -> None:
        self._frames = run.frames()
        self.shown = ""
        self.whole = ""

    async def read(self) -> None:
        """Take the next part of the stream."""
        for event in events_of(await anext(self._frames)):
            if event["type"] == "answer" and event["answer"]["status"] == "answering":
                self.shown = event["answer"]["content"]
            elif event["type"] == "answer":
                self.whole = event["answer"]["content"]
            elif event["type"] == "text":
                self.shown += event["text"]

    async def read_to_the_end(self) -> None:
        while not self.whole:
            await self.read()


@pytest.mark.parametrize(
    ("before", "meanwhile", "after"),
    [
        (["one "], ["two ", "three "], ["four"]),
        ([], ["one "], []),
        (["one "], [], ["two"]),
        (["one "], ["x" * 100_000] * 3, ["end"]),
    ],
    ids=["in the middle", "before the first word", "nothing meanwhile", "much"],
)
async def test_it_misses_nothing_that_comes_while_the_first_part_is_sent(
    before: list[str], meanwhile: list[str], after: list[str]
) -> None:
    source = Source()
    run = begin(source)
    await source.send(Accepted(prompt_tokens=1), *deltas(*before))
    reader = Reader(run)
    await reader.read()
    await source.send(*deltas(*meanwhile))  # the reader is slow: it has not asked for more yet
    reading = asyncio.create_task(reader.read_to_the_end())
    await source.send(*deltas(*after), *END)
    await reading
    assert reader.shown == reader.whole == "".join([*before, *meanwhile, *after])


async def test_it_has_the_whole_answer_for_a_reader_that_joins_at_the_end() -> None:
    source = Source()
    run = begin(source)
    await source.send(Accepted(prompt_tokens=1), *deltas("one"))
    reader = Reader(run)
    await reader.read()
    await source.send(*deltas(" two"), *END)
    await run.join()
    await reader.read_to_the_end()
    assert reader.shown == reader.whole == "one two"


async def test_a_save_builds_the_answer_once(monkeypatch: pytest.MonkeyPatch) -> None:
    built = []
    whole: Any = AnswerState.payload

    def counted(answer: AnswerState) -> Any:
        built.append(answer)
        return whole.fget(answer)

    monkeypatch.setattr(AnswerState, "payload", property(counted))
    source = Source()
    run = begin(source)
    await source.send(Accepted(prompt_tokens=1), *deltas("one"), *END)
    await run.join()
    assert len(built) == 1
