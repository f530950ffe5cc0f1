"""What an action would do to models, and whether it can be done."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from inference.core.config import Config
from inference.core.pool_state import ModelState
from inference.models import ServedModel
from inference.pool import Pool
from inference.pool.scheduling.preview import FreedBytes, LoadPreview
from inference.repository.deletion import Removal
from inference.serving import action_preview
from inference.serving.action_preview import ActionPreview
from tests.each import each
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
    assert "raise MLX_SERVER_MEMORY_LIMIT" in large.text and "switched it off" in off_.text


@each(
    ("load", "text"),
    [
        (
            LoadPreview(outcome="fits", needed_bytes=4 * GB, free_bytes=10 * GB, limit_bytes=10 * GB),
            "It takes 4.0 GB; 10.0 GB of 10.0 GB are free, so no model is unloaded.",
        ),
        (
            LoadPreview(
                outcome="evicts",
                needed_bytes=6 * GB,
                free_bytes=-GB,
                limit_bytes=10 * GB,
                evicted=(FreedBytes("a", 6 * GB, 30.0),),
                shed=(FreedBytes("b", GB),),
            ),
            "It takes 6.0 GB; 0.0 GB of 10.0 GB are free, so a is unloaded (6.0 GB, idle for 30 s) and "
            "1.0 GB of prefixes of b are dropped.",
        ),
        (
            LoadPreview(outcome="waits", needed_bytes=8 * GB, free_bytes=GB, limit_bytes=10 * GB),
            "It takes 8.0 GB; 1.0 GB of 10.0 GB are free, and unloading the idle models is not enough: it "
            "waits until a busy model is idle.",
        ),
        (LoadPreview(outcome="resident", held_bytes=6 * GB), "It is already in memory, with 6.0 GB."),
        (LoadPreview(outcome="draining", held_bytes=6 * GB), "It is being unloaded, with 6.0 GB."),
    ],
)
def test_each_outcome_of_a_load_has_its_text(load: LoadPreview, text: str) -> None:
    assert action_preview.load_text(load) == text


@pytest.mark.parametrize(
    ("facts", "text"),
    [
        (
            {"is_link": True, "bytes": 0},
            "Its link in the models folder is removed; the files that it leads to stay where they are.",
        ),
        ({"is_link": False, "bytes": GB}, "1.0 GB in the models folder are deleted for good."),
        (
            {"is_link": False, "bytes": 0, "keeps_files": True},
            "0.0 GB in the models folder are deleted for good. The files that are only linked there stay "
            "where they are.",
        ),
    ],
)
def test_each_deletion_has_its_text(facts: Any, text: str, tmp_path: Path) -> None:
    assert action_preview.removal_text(Removal("tiny", tmp_path, **facts)) == text


def test_what_is_not_in_memory_is_not_unloaded() -> None:
    with serving():
        for preview in (action_preview.of_unloads, action_preview.of_unloads_now):
            assert list(preview(["tiny"])) == [ActionPreview("It is not in memory.", is_possible=False)]


async def test_a_pinned_model_comes_back() -> None:
    with serving(FakeRunner(), cards=[card("tiny", is_pinned=True)]) as pool:
        await ready(pool)
        [preview] = action_preview.of_unloads(["tiny"])
        await pool.close()
    assert preview.is_possible and preview.needs_no_question
    assert preview.text.endswith(
        "It stays pinned, so it is loaded again when the site starts; unpin it to change that."
    )


async def test_a_reload_of_what_is_not_in_memory_is_a_load() -> None:
    with serving(FakeRunner(), cards=[card("tiny"), card("odd", problem="no weights")]) as pool:
        tiny, odd, gone = action_preview.of_reloads(["tiny", "odd", "gone"])
        assert tiny == action_preview.of_loads(["tiny"])[0]
        assert not odd.is_possible and not gone.is_possible
        await ready(pool)
        [preview] = action_preview.of_reloads(["tiny"])
        await pool.close()
    assert preview.is_possible and "it is loaded again" in preview.text


def test_a_pin_outlives_the_files(tmp_path: Path, settings: Any) -> None:
    settings.CONFIG = Config(models_dir=tmp_path)
    cards = [card(name, path=str(tmp_path / name), is_pinned=name == "pinned") for name in ("pinned", "free")]
    with serving(cards=cards):
        pinned, free = action_preview.of_removals(["pinned", "free"])
    assert free == ActionPreview("1.0 GB in the models folder are deleted for good.")
    assert pinned.text == f"{free.text} Its pin and its other settings stay until you remove its entry."


@pytest.mark.django_db
def test_only_what_is_gone_can_be_forgotten() -> None:
    ServedModel.objects.create(name="gone", aliases=["x"])
    with serving():
        gone, there = action_preview.of_forgetting(["gone", "tiny"])
    assert gone.is_possible and gone.text.startswith("This deletes its settings.")
    assert not there.is_possible
