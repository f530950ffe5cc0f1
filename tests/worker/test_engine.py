"""The engine thread: what breaks one sequence ends that sequence only."""

import queue
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import mlx.nn as nn
import pytest

from inference.protocol import Load, Shed
from inference.requests import Sampling
from inference.worker.batch import Sampled
from inference.worker.engine import Add, Engine, Quit, Remove, Sink
from inference.worker.loading import LoadedModel
from tests.worker.models import Poisoned, sequence, tiny

pytestmark = pytest.mark.mlx
POISON = 251


class Bench:
    """An engine with a model made here, and everything it publishes."""

    def __init__(self, make: Callable[[], nn.Module]) -> None:
        self.said: dict[int, list[int]] = {}
        self.ends: queue.Queue[tuple[int, str]] = queue.Queue()
        self.loaded: queue.Queue[str] = queue.Queue()
        self.memory_reports = 0
        sink = Sink(
            on_imported=lambda: None,
            on_loading=lambda percent: None,
            on_loaded=lambda model: self.loaded.put("loaded"),
            on_load_failed=lambda error: self.loaded.put(str(error)),
            on_outputs=self._take,
            on_lost=self._lose,
            on_memory=self._count,
        )
        self.engine = Engine(sink, load=lambda options, progress: _loaded(make()))
        self.engine.start()

    def load(self, **options: Any) -> str:
        self.engine.post(Load(model="m", path="", max_batch=8, prefix_cache_bytes=10**8, **options))
        return self.loaded.get(timeout=30)

    def end(self) -> tuple[int, str]:
        return self.ends.get(timeout=30)

    def _take(self, outputs: list[Any]) -> None:
        for output in outputs:
            if isinstance(output, Sampled):
                self.said.setdefault(output.id, []).append(output.token)
                if output.finish:
                    self.ends.put((output.id, output.finish))

    def _lose(self, ids: list[int]) -> None:
        for number in ids:
            self.ends.put((number, "lost"))

    def _count(self) -> None:
        self.memory_reports += 1


def _loaded(model: nn.Module) -> LoadedModel:
    return LoadedModel(
        model=model,
        tokenizer=None,  # type: ignore[arg-type]  # there is no text here
        adapter=None,  # type: ignore[arg-type]
        own_sampling=Sampling(),
        context_length=2048,
        vocab_size=264,
        device="cpu",
        seconds=0.0,
    )


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Callable[..., Bench]]:
    benches: list[Bench] = []

    def make(most: int = 99) -> Bench:
        benches.append(Bench(lambda: Poisoned(tiny(tmp_path / f"tiny{len(benches)}"), POISON, most)))
        assert benches[-1].load() == "loaded"
        return benches[-1]

    yield make
    for made in benches:
        made.engine.post(Quit())
        made.engine.join(timeout=30)


def solo(bench: Callable[..., Bench], number: int) -> list[int]:
    alone = bench()
    alone.engine.post(Add((sequence(number, 20 + number, start=number),)))
    alone.end()
    return alone.said[number]


def test_a_sequence_that_breaks_the_step_is_lost_and_the_others_end_unchanged(
    bench: Callable[..., Bench],
) -> None:
    mixed = bench()
    for number in (1, 2):
        mixed.engine.post(Add((sequence(number, 20 + number, start=number),)))
    mixed.engine.post(Add((sequence(3, prompt=(*range(30), POISON, 5)),)))
    ends = sorted(mixed.end() for _ in range(3))
    assert ends == [(1, "length"), (2, "length"), (3, "lost")]
    assert [mixed.said[1], mixed.said[2]] == [solo(bench, 1), solo(bench, 2)]


def test_the_engine_serves_on_after_a_loss(bench: Callable[..., Bench]) -> None:
    hurt = bench()
    hurt.engine.post(Add((sequence(3, prompt=(*range(30), POISON, 5)),)))
    assert hurt.end() == (3, "lost")
    hurt.engine.post(Add((sequence(1),)))
    assert hurt.end() == (1, "length")


def test_sequences_without_room_for_all_of_them_are_served_in_part(bench: Callable[..., Bench]) -> None:
    narrow = bench(most=2)
    for number in range(4):
        narrow.engine.post(Add((sequence(number, start=number, max_tokens=30),)))
    ends = [narrow.end() for _ in range(4)]
    assert sorted(reason for _, reason in ends) == ["length", "length", "lost", "lost"]


def test_a_sequence_that_cannot_be_added_is_lost(bench: Callable[..., Bench]) -> None:
    one = bench()
    one.engine.post(Add((sequence(1, prompt=()),)))
    assert one.end() == (1, "lost")


def test_prefixes_are_reported_and_shed_on_demand(bench: Callable[..., Bench]) -> None:
    one = bench()
    one.engine.post(Add((sequence(1, 60),)))
    one.end()
    one.engine.post(Remove(99))
    one.engine.post(Shed(keep_bytes=0))
    one.engine.post(Add((sequence(2, prompt=()),)))
    one.end()  # what was posted before has been done
    assert (one.engine.prefix_bytes, one.engine.kv_bytes) == (0, 0)
    assert one.memory_reports >= 2


def test_at_most_two_tokens_are_computed_once_a_sequence_is_cancelled(bench: Callable[..., Bench]) -> None:
    one = bench()
    one.engine.post(Add((sequence(1, max_tokens=2000),)))
    while not one.said.get(1):
        time.sleep(0.001)
    one.engine.post(Remove(1))
    seen = len(one.said[1])
    one.engine.post(Add((sequence(2),)))
    one.end()
    assert len(one.said[1]) <= seen + 2


def test_a_cancelled_prefill_ends_within_its_chunk(bench: Callable[..., Bench]) -> None:
    one = bench()
    one.engine.post(Add((sequence(1, 1500, max_tokens=5),)))
    one.engine.post(Remove(1))
    one.engine.post(Add((sequence(2),)))
    assert one.end() == (2, "length")
    assert 1 not in one.said
