"""Pictures of Gemma 3, which are seen both ways, across the process boundary and after a restart."""

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest

from inference.core.requests import ChatRequest, Message
from inference.pool import ProcessRunner
from tests.fakes import card
from tests.nightly import nightly
from tests.pool.test_worker_pictures import OTHER, TALL, WIDE, Answer, answer
from tests.pool.test_worker_pictures import chat as asking_on
from tests.pool.worker_models import OPTIONS
from tests.tiny_gemma import make_tiny_gemma3
from tests.tiny_vision import NEEDS_MLX_VLM

pytestmark = [pytest.mark.mlx, NEEDS_MLX_VLM, pytest.mark.asyncio]
FIRST = ("It is a long story that begins with pictures. " * 4 + "A wide one ", WIDE, " and a tall one ", TALL)


def chat(*parts: Any) -> ChatRequest:
    """A question whose answer may end: where messages end is where prefixes with windows are stored."""
    return asking_on(*parts, ignores_end=False)


@nightly
async def test_answers_are_the_same_beside_others_and_after_a_restart(tmp_path: Path) -> None:
    folder = make_tiny_gemma3(tmp_path / "m")
    options = msgspec.structs.replace(
        OPTIONS, prefix_cache_bytes=10**8, prefix_disk_path=str(tmp_path / "disk"), prefix_disk_bytes=10**9
    )
    asked = (chat(*FIRST), chat("A text alone"), chat(FIRST[0], OTHER, " and a tall one ", TALL))
    runner = ProcessRunner(options)
    loaded = await runner.load(card(path=str(folder)), lambda progress: None)
    assert loaded.sees and not [one for one in loaded.findings if one.about == "pictures"]
    alone = [await answer(runner, one, f"user:{number}") for number, one in enumerate(asked)]
    together = await asyncio.gather(*(answer(runner, one, f"other:{n}") for n, one in enumerate(asked)))
    assert [one.tokens for one in together] == [one.tokens for one in alone]
    assert alone[0].tokens != alone[2].tokens and {one.cached for one in alone} == {0}
    await runner.stop()

    again = ProcessRunner(options)
    await again.load(card(path=str(folder)), lambda progress: None)
    second, other = await next_turn(again, 0), await next_turn(again, 2)
    assert second.cached > 30  # tokens of its pictures are among them
    assert other.cached == 0  # of another owner
    assert second.prompt_tokens == other.prompt_tokens and second.tokens == other.tokens
    await again.stop()


async def next_turn(runner: ProcessRunner, owner: int) -> Answer:
    """The first conversation goes on; its owner's prefix has the first question."""
    first = chat(*FIRST).messages
    turns = (*first, Message(role="assistant", content="yes"), Message(role="user", content="And now?"))
    return await answer(runner, msgspec.structs.replace(chat(*FIRST), messages=turns), f"user:{owner}")
