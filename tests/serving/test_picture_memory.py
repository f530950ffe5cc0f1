"""The pictures that the site holds at once have a limit, and are given back with their request."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import override_settings

from inference.core.errors import QueueFull
from inference.core.events import Accepted, Ended, Event, Finished, Usage
from inference.core.principal import Principal
from inference.core.requests import PICTURE, ChatRequest, Message, Picture, Request
from inference.serving import generation
from inference.serving.picture_memory import PICTURES, PictureMemory
from tests import vision_extra
from tests.fakes import EventRunner, card, serving

ME = Principal(kind="local")
ANSWER = (Accepted(prompt_tokens=3), Ended(reason="stop"), Finished(usage=Usage(prompt_tokens=3)))


def asked(size: int) -> ChatRequest:
    shown = Picture(data=bytes(size), media_type="image/png", width=1, height=1)
    message = Message(role="user", content=PICTURE, pictures=(shown,))
    return ChatRequest(model="tiny", messages=(message,))


@pytest.fixture(autouse=True)
def most() -> Any:
    with override_settings(CONFIG=settings.CONFIG.model_copy(update={"pictures_in_memory": 100})):
        yield


def test_what_is_held_is_counted_and_given_back() -> None:
    memory = PictureMemory()
    with memory.hold(asked(60)), memory.hold(asked(40)):
        assert memory.bytes == 100
        with pytest.raises(QueueFull) as refused, memory.hold(asked(1)):
            raise AssertionError
        assert refused.value.retry_after and "PICTURES_IN_MEMORY" in refused.value.message
        with memory.hold(ChatRequest(model="tiny", messages=(Message(role="user", content="Hi"),))):
            assert memory.bytes == 100  # a text waits for no picture
    assert memory.bytes == 0


def test_a_request_whose_own_pictures_are_too_many_is_taken_alone() -> None:
    memory = PictureMemory()
    with memory.hold(asked(500)):
        assert memory.bytes == 500
    with pytest.raises(ZeroDivisionError), memory.hold(asked(500)):
        raise ZeroDivisionError
    assert memory.bytes == 0


class Looking(EventRunner):
    """Notes what is held while it answers."""

    held = 0

    async def submit(self, request: Request, owner: str = "") -> AsyncGenerator[Event]:
        self.held = PICTURES.bytes
        async with aclosing(super().submit(request, owner)) as events:
            async for event in events:
                yield event


async def test_a_request_holds_its_pictures_until_its_answer_has_ended(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    vision_extra.install(monkeypatch, tmp_path)
    runner = Looking(*ANSWER)
    with serving(runner, cards=[card(sees=True, picture_tokens=64)]):
        async with aclosing(generation.stream(asked(60), ME)) as events:
            assert [event async for event in events]
    assert (runner.held, PICTURES.bytes) == (60, 0)
