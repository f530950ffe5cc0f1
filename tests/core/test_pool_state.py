"""The state of the pool as snapshots have it."""

from typing import Any

import pytest
from msgspec import structs

from inference.core.model_card import Finding
from inference.core.pool_state import ContextFit, Loaded, Memory, ModelState, PoolSnapshot, ResidentModel
from tests.each import each

LOADED = Loaded(seconds=1, memory=Memory(), context_length=8, vocab_size=2, device="cpu")


@pytest.mark.parametrize(
    ("memory", "held"),
    [
        (Memory(active=5, cache=2, resident=4), 7),
        (Memory(active=1, cache=1, resident=4), 4),
        (Memory(active=1, cache=1, resident=4, helpers=3), 7),
    ],
)
def test_the_larger_of_metal_and_the_system_is_held_and_its_helpers(memory: Memory, held: int) -> None:
    assert memory.held == held


@each("state", list(ModelState))
def test_a_model_is_in_memory_while_a_worker_holds_it(state: ModelState) -> None:
    assert state.is_in_memory == (state not in {"unloaded", "failed"})


def test_the_light_is_that_of_the_worst_finding() -> None:
    amber = Finding(light="amber", about="tools", text="a")
    red = Finding(light="red", about="chat", text="b")
    lights = [
        Loaded(seconds=1, memory=Memory(), context_length=8, vocab_size=2, device="cpu", findings=found).light
        for found in ((), (amber,), (red, amber))
    ]
    assert lights == ["green", "amber", "red"]


def test_a_model_without_a_place_is_unloaded() -> None:
    there = ResidentModel(id="a", state=ModelState.READY, loaded=LOADED)
    snapshot = PoolSnapshot(limit_bytes=1, models=(there,))
    assert snapshot.of("a") is there
    assert snapshot.of("b") == ResidentModel(id="b", state=ModelState.UNLOADED)


def test_findings_that_need_the_weights_are_not_those_of_the_adapter() -> None:
    tools = Finding(light="amber", about="tools", text="a")
    others = [Finding(light="green", about=about, text="b") for about in ("batch", "kv_cache", "prefixes")]
    loaded = structs.replace(LOADED, findings=(others[0], tools, *others[1:]))
    assert loaded.adapter_findings == (tools,)


@each(
    ("limited_by", "now", "alone", "text"),
    [
        (
            "memory",
            5,
            6,
            "of its own 9 no more fit this server's memory. Memory is free for 5 of them now, and",
        ),
        ("operator", 6, 6, "an operator chose that, and its own is 9. Memory is free for 6 of them now."),
        ("model", 0, 6, "allow more. Memory is free for 0 of them now, and for 6 if only pinned models stay"),
        ("model", 0, 0, "There is no memory for any of them, even if only pinned models stay loaded."),
    ],
)
def test_the_context_is_told_with_its_reason(limited_by: Any, now: int, alone: int, text: str) -> None:
    fit = ContextFit(context=6, own=9, limited_by=limited_by, now=now, alone=alone)
    assert fit.text.startswith("The context of this model is 6 tokens here: ") and text in fit.text
