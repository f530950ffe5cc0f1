"""Whether a model fits, as a sentence, in a pool of ten gigabytes."""

from typing import Any

from inference.core.pool_state import Memory
from inference.serving import runtime
from inference.serving.discovery import verdict
from inference.serving.discovery.verdict import Verdict
from tests.each import each
from tests.fakes import GB, FakeRunner, card
from tests.pool.scene import Scene, spin

MB = 10**6


def of(**changes: Any) -> Verdict:
    usual: dict[str, Any] = {"resident_bytes": 4 * GB, "kv_bytes_per_token": MB, "context_length": 5000}
    return verdict.of(card("new", **(usual | changes)))[0]


@each(
    ("changes", "outcome", "text"),
    [
        ({}, "fits", "Fits, with its whole context of 5,000 tokens."),
        ({"context_length": 40_960}, "fits_shorter", "Fits with a context of 6,000 of its 40,960 tokens."),
        (
            {"resident_bytes": 9 * GB, "prefill_bytes": GB // 2},
            "too_large",
            "Does not fit: it needs 9.5 GB, and 10.0 GB are for models.",
        ),
        (
            {"resident_bytes": 12 * GB},
            "too_large",
            "Does not fit: it needs 12.0 GB, and 10.0 GB are for models.",
        ),
    ],
)
async def test_alone(changes: dict[str, Any], outcome: str, text: str) -> None:
    with runtime.use_pool(Scene().pool):
        found = of(**changes)
    assert (found.outcome, found.text) == (outcome, text)


@each(
    ("changes", "text"),
    [
        ({"context_length": 2000}, "Fits, with its whole context of 2,000 tokens."),
        (
            {},
            "Fits alone, with its whole context of 5,000 tokens; beside the models in memory, with 3,000.",
        ),
        (
            {"resident_bytes": 7 * GB, "context_length": 2000},
            "Fits alone, with its whole context of 2,000 tokens; other models are unloaded.",
        ),
        (
            {"context_length": 8000},
            "Fits with a context of 6,000 of its 8,000 tokens; beside the models in memory, with 3,000.",
        ),
    ],
)
async def test_beside_another_model(changes: dict[str, Any], text: str) -> None:
    runner = FakeRunner()
    runner.memory = Memory(active=3 * GB, resident=3 * GB)
    scene = Scene(card("a", resident_bytes=3 * GB), given=(runner,))
    await scene.pool.load("a")
    await spin()
    with runtime.use_pool(scene.pool):
        assert of(**changes).text == text
    await scene.pool.close()
