"""Families beside Llama, each divided between two ranks: they answer as one rank does."""

import asyncio
from pathlib import Path

import pytest

from inference.pool import ProcessRunner
from tests.architectures import folders
from tests.fakes import card
from tests.nightly import nightly
from tests.pool.ranks.groups import CACHED, start, text
from tests.pool.worker_models import ask, chat

pytestmark = pytest.mark.mlx
FAMILIES = (
    *("qwen2", "qwen3", "qwen3_moe", "qwen3_5", "gpt_oss", "deepseek_v3", "ministral3", "mistral4"),
    *("glm4_moe", "minimax"),
)
TEXTS = ("hi", "x" * 70, "one two three")


async def answers_of(runner: ProcessRunner) -> list[str]:
    chats = (chat(content, max_tokens=5) for content in TEXTS)
    return [text(events) for events in await asyncio.gather(*(ask(runner, one) for one in chats))]


@nightly
@pytest.mark.parametrize("family", FAMILIES)
async def test_two_ranks_answer_as_one(tmp_path: Path, family: str) -> None:
    folder = folders.write(family, tmp_path / family)
    alone = ProcessRunner(CACHED)
    await alone.load(card(path=str(folder)), lambda progress: None)
    expected = await answers_of(alone)
    await alone.stop()
    runner, _ = await start(folder)
    assert await answers_of(runner) == expected
    await runner.stop()
