"""Pictures of Qwen's models across the process boundary: each request says what mlx-vlm says to it alone."""

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from pathlib import Path

import msgspec
import pytest

from inference.pool import ProcessRunner
from tests.fakes import card
from tests.nightly import of_each_kind
from tests.pool.test_worker_pictures import COUNT, answer, chat
from tests.pool.worker_models import OPTIONS
from tests.tiny_qwen_vl import make_tiny_qwen
from tests.tiny_vision import NEEDS_MLX_VLM, drawn
from tests.worker.vision.mlx_vlm_answers import Part
from tests.worker.vision.mlx_vlm_qwen import QwenOfMlxVlm

pytestmark = [pytest.mark.mlx, NEEDS_MLX_VLM, pytest.mark.asyncio]
WIDE, TALL = drawn(300, 100, seed=1), drawn(100, 220, seed=2)
OTHER = drawn(300, 100, seed=3)  # as large as the wide one


@pytest.mark.parametrize("kind", of_each_kind(["qwen3_vl", "qwen3_5"], ["qwen3_5"]))
async def test_each_answer_is_that_of_mlx_vlm(tmp_path: Path, kind: str) -> None:
    folder = make_tiny_qwen(tmp_path / kind, kind)
    theirs = QwenOfMlxVlm(folder, kind)
    options = msgspec.structs.replace(
        OPTIONS,
        prefix_cache_bytes=10**8,
        prefill_step=16,
        prefix_disk_path=str(tmp_path / "disk"),
        prefix_disk_bytes=10**9,
    )
    runner = ProcessRunner(options)
    loaded = await runner.load(card(path=str(folder)), lambda progress: None)
    assert loaded.sees and not [one for one in loaded.findings if one.about == "pictures"]
    asked: list[Sequence[Part]] = [
        ["A wide one ", WIDE, " and a tall one ", TALL, ". Which?"],
        [TALL, "first"],
        ["No picture at all."],
        [OTHER, "first"],
    ]
    answers = await asyncio.gather(*(answer(runner, chat(*parts)) for parts in asked))
    for got, parts in zip(answers, asked, strict=True):
        assert got.tokens == theirs.greedy(COUNT, ("user", parts)), parts
        assert got.prompt_tokens == len(theirs.processed(("user", parts))["input_ids"][0])
    again = await answer(runner, chat(*asked[1]))
    assert again.tokens == answers[1].tokens
    tokens: dict[int, list[int]] = {}
    async with aclosing(runner.submit(chat(*asked[0], n=2), "user:b")) as events:
        async for event in events:
            tokens.setdefault(getattr(event, "index", 0), []).extend(getattr(event, "ids", ()))
    assert list(tokens.values()) == [answers[0].tokens] * 2
    await runner.stop()
    restarted = ProcessRunner(options)
    await restarted.load(card(path=str(folder)), lambda progress: None)
    from_disk = await answer(restarted, chat(*asked[0]))
    assert from_disk.tokens == answers[0].tokens
    if kind == "qwen3_vl":  # the other has recurrent layers: it is stored where messages end
        assert from_disk.cached == from_disk.prompt_tokens - 1
    await restarted.stop()
