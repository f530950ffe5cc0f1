"""What an action would do to models, and whether it can be done."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from inference.admin import action_preview
from inference.admin.action_preview import Told
from inference.core.config import Config
from inference.core.pool_state import ModelState
from inference.models import ServedModel
from inference.pool import Pool
from tests.fakes import GB, FakeRunner, card, serving


async def ready(pool: Pool) -> None:
    await pool.load("tiny")
    async with asyncio.timeout(5):
        while pool.snapshot().of("tiny").state != ModelState.READY:
            await asyncio.sleep(0.01)


def test_a_load_that_can_never_be_says_so() -> None:
    off = card("off", problem="an operator has switched it off", is_enabled=False)
    with serving(cards=[card("tiny"), card("large", resident_bytes=99 * GB), off]):
        tiny, large, off_, gone = action_preview.of_loads(["tiny", "large", "off", "gone"])
    assert tiny.is_possible
    assert not (large.is_possible or off_.is_possible or gone.is_possible)
    assert "raise MLX_SERVER_MEMORY_LIMIT" in large.words and "switched it off" in off_.words


def test_what_is_not_in_memory_is_not_unloaded() -> None:
    with serving():
        for foretell in (action_preview.of_unloads, action_preview.of_unloads_now):
            assert list(foretell(["tiny"])) == [Told("It is not in memory.", is_possible=False)]


async def test_a_pinned_model_comes_back() -> None:
    with serving(FakeRunner(), cards=[card("tiny", is_pinned=True)]) as pool:
        await ready(pool)
        [told] = action_preview.of_unloads(["tiny"])
        await pool.close()
    assert told.is_possible
    assert told.words.endswith(
        "It stays pinned, so it is loaded again when the site starts; unpin it to change that."
    )


async def test_a_reload_of_what_is_not_in_memory_is_a_load() -> None:
    with serving(FakeRunner(), cards=[card("tiny"), card("odd", problem="no weights")]) as pool:
        tiny, odd, gone = action_preview.of_reloads(["tiny", "odd", "gone"])
        assert tiny == action_preview.of_loads(["tiny"])[0]
        assert not odd.is_possible and not gone.is_possible
        await ready(pool)
        [told] = action_preview.of_reloads(["tiny"])
        await pool.close()
    assert told.is_possible and "It is loaded anew" in told.words


def test_a_pin_outlives_the_files(tmp_path: Path, settings: Any) -> None:
    settings.CONFIG = Config(models_dir=tmp_path)
    cards = [card(name, path=str(tmp_path / name), is_pinned=name == "pinned") for name in ("pinned", "free")]
    with serving(cards=cards):
        pinned, free = action_preview.of_removals(["pinned", "free"])
    assert free == Told("1.0 GB in the models folder are deleted for good.")
    assert pinned.words == f"{free.words} Its pin and what else was chosen for it stay until it is forgotten."


@pytest.mark.django_db
def test_only_what_is_gone_can_be_forgotten() -> None:
    ServedModel.objects.create(name="gone", aliases=["x"])
    with serving():
        gone, there = action_preview.of_forgetting(["gone", "tiny"])
    assert gone.is_possible and gone.words.startswith("This forgets what was chosen for it.")
    assert not there.is_possible
