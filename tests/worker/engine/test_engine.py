"""The engine thread: what breaks one sequence ends that sequence only."""

import queue
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import mlx.nn as nn
import pytest

from inference.core.model_card import Finding
from inference.core.protocol import Load, Shed
from inference.core.requests import Sampling
from inference.worker.engine.callbacks import EngineCallbacks
from inference.worker.engine.commands import Add, Quit, Remove
from inference.worker.engine.engine import Engine
from inference.worker.engine.sequence import Prefilled, Sampled
from inference.worker.lora.weights import targets
from inference.worker.model.loaded_model import LoadedModel
from tests.nightly import of_each_kind
from tests.worker.models import Poisoned, Unremovable, sequence, tiny

pytestmark = pytest.mark.mlx
POISON = 251
SOUND = ((POISON, -1000.0),)  # never draws it


class Bench:
    """An engine with a model made here, and everything it publishes."""

    def __init__(self, make: Callable[[], nn.Module]) -> None:
        self.generated: dict[int, list[int]] = {}
        self.ends: queue.Queue[tuple[int, str]] = queue.Queue()
        self.loaded: queue.Queue[str] = queue.Queue()
        self.memory_reports = 0
        self.cached: dict[int, int] = {}
        self.findings: tuple[Finding, ...] = ()
        self.breaks_on_load = False
        self.thinking_ended = 0
        callbacks = EngineCallbacks(
            on_imported=lambda: None,
            on_loading=lambda progress: None,
            on_loaded=self._note_load,
            on_load_failed=lambda error: self.loaded.put(str(error)),
            on_outputs=self._take,
            on_lost=self._lose,
            on_memory=self._count,
            on_thinking_ended=self._note_thinking,
        )
        self.engine = Engine(callbacks, load=lambda options, progress: _loaded(make()))
        self.engine.start()

    def load(self, **options: Any) -> str:
        own: dict[str, Any] = {"model": "m", "path": "", "max_batch": 8, "prefix_cache_bytes": 10**8}
        self.engine.post(Load(**(own | options)))
        return self.loaded.get(timeout=30)

    def end(self) -> tuple[int, str]:
        return self.ends.get(timeout=30)

    def stop(self) -> None:
        self.engine.post(Quit())
        self.engine.join(timeout=30)

    def _note_load(self, model: LoadedModel) -> None:
        if self.breaks_on_load:
            raise RuntimeError("the site has gone")
        self.findings = model.findings
        self.loaded.put("loaded")

    def _take(self, outputs: list[Any]) -> None:
        for output in outputs:
            if isinstance(output, Prefilled):
                self.cached[output.id] = output.cached
            if isinstance(output, Sampled):
                self.generated.setdefault(output.id, []).append(output.token)
                if output.finish:
                    self.ends.put((output.id, output.finish))

    def _lose(self, ids: list[int]) -> None:
        for number in ids:
            self.ends.put((number, "lost"))

    def _count(self) -> None:
        self.memory_reports += 1

    def _note_thinking(self, request: int, answers: int) -> None:
        self.thinking_ended += answers


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
        lora_targets=targets(model),
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
        made.stop()


def solo(bench: Callable[..., Bench], number: int) -> list[int]:
    alone = bench()
    alone.engine.post(Add((sequence(number, 20 + number, start=number),)))
    alone.end()
    return alone.generated[number]


def test_a_sequence_that_breaks_the_step_is_lost_and_the_others_end_unchanged(
    bench: Callable[..., Bench],
) -> None:
    mixed = bench()
    for number in (1, 2):
        mixed.engine.post(Add((sequence(number, 20 + number, start=number),)))
    mixed.engine.post(Add((sequence(3, prompt=(*range(30), POISON, 5)),)))
    ends = sorted(mixed.end() for _ in range(3))
    assert ends == [(1, "length"), (2, "length"), (3, "lost")]
    assert [mixed.generated[1], mixed.generated[2]] == [solo(bench, 1), solo(bench, 2)]


def test_the_engine_serves_on_after_a_loss(bench: Callable[..., Bench]) -> None:
    hurt = bench()
    hurt.engine.post(Add((sequence(3, prompt=(*range(30), POISON, 5)),)))
    assert hurt.end() == (3, "lost")
    hurt.engine.post(Add((sequence(1),)))
    assert hurt.end() == (1, "length")


@pytest.mark.parametrize(
    ("count", "length", "prefill_step", "most"),
    of_each_kind(
        [(4, 40, 512, 2), (8, 300, 512, 7), (2, 900, 64, 1), (7, 300, 128, 3), (8, 20, 512, 1)],
        [(4, 40, 512, 2), (7, 300, 128, 3)],
    ),
)
def test_sequences_without_room_for_all_of_them_are_all_served(
    tmp_path: Path, count: int, length: int, prefill_step: int, most: int
) -> None:
    narrow = Bench(lambda: Poisoned(tiny(tmp_path / "tiny"), POISON, most))
    narrow.load(prefill_step=prefill_step)
    for number in range(count):
        narrow.engine.post(Add((sequence(number, length, start=number, max_tokens=20, logit_bias=SOUND),)))
    ends = [narrow.end() for _ in range(count)]
    narrow.stop()
    assert sorted(ends) == [(number, "length") for number in range(count)]
    assert {len(tokens) for tokens in narrow.generated.values()} == {20}


def test_a_sequence_that_breaks_late_is_found_and_lost_alone(bench: Callable[..., Bench]) -> None:
    late = bench()
    bias = ((POISON, 1000.0),)  # drawn first, and given to the model with the next step
    late.engine.post(Add((sequence(1, 40, max_tokens=40, logit_bias=SOUND),)))
    late.engine.post(Add((sequence(2, 50, max_tokens=40, logit_bias=bias),)))
    late.engine.post(Add((sequence(3, 60, max_tokens=40, logit_bias=SOUND),)))
    assert sorted(late.end() for _ in range(3)) == [(1, "length"), (2, "lost"), (3, "length")]


def test_commands_are_obeyed_while_the_sequences_of_a_failed_step_are_tried(
    bench: Callable[..., Bench],
) -> None:
    hurt = bench()
    for number in range(6):
        hurt.engine.post(Add((sequence(number, 900, start=number, max_tokens=4),)))
    hurt.engine.post(Add((sequence(6, prompt=(*range(30), POISON, 5)),)))
    for number in range(6):
        hurt.engine.post(Remove(number))
    hurt.engine.post(Add((sequence(9, 10),)))
    assert {hurt.end() for _ in range(2)} == {(6, "lost"), (9, "length")}


def test_copies_survive_a_first_one_that_cannot_be_removed(tmp_path: Path) -> None:
    narrow = Bench(lambda: Unremovable(tiny(tmp_path / "tiny")))
    narrow.load()
    narrow.engine.post(Add(tuple(sequence(number, 300, max_tokens=5) for number in (1, 2))))
    narrow.engine.post(Remove(1))
    assert narrow.end() == (2, "length")
    narrow.stop()


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
    while not one.generated.get(1):
        time.sleep(0.001)
    one.engine.post(Remove(1))
    seen = len(one.generated[1])
    one.engine.post(Add((sequence(2),)))
    one.end()
    assert len(one.generated[1]) <= seen + 2


def test_a_cancelled_prefill_ends_within_its_chunk(bench: Callable[..., Bench]) -> None:
    one = bench()
    one.engine.post(Add((sequence(1, 1500, max_tokens=5),)))
    one.engine.post(Remove(1))
    one.engine.post(Add((sequence(2),)))
    assert one.end() == (2, "length")
    assert 1 not in one.generated


def test_a_prefix_folder_that_cannot_be_made_costs_the_disk_tier_only(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    one = Bench(lambda: tiny(tmp_path / "tiny"))
    loaded = one.load(path=str(tmp_path), prefix_disk_path=str(tmp_path / "file"), prefix_disk_bytes=10**8)
    one.engine.post(Add((sequence(1),)))
    assert (loaded, one.end()) == ("loaded", (1, "length"))
    (finding,) = one.findings
    assert (finding.light, finding.about) == ("amber", "prefixes")
    one.stop()


def test_what_cannot_be_reported_of_a_load_fails_it(tmp_path: Path) -> None:
    one = Bench(lambda: tiny(tmp_path / "tiny"))
    one.breaks_on_load = True
    assert one.load() == "the site has gone"
    one.stop()
    assert not one.engine.is_alive()


def on_disk(folder: Path) -> dict[str, Any]:
    (folder / "model").mkdir()
    return {
        "path": str(folder / "model"),
        "prefix_disk_path": str(folder / "disk"),
        "prefix_disk_bytes": 10**8,
    }


def test_a_prompt_the_disk_knows_waits_for_it_while_others_go_on(tmp_path: Path) -> None:
    disk = on_disk(tmp_path)
    first = Bench(lambda: tiny(tmp_path / "tiny"))
    first.load(**disk)
    first.engine.post(Add((sequence(1, 200),)))
    first.end()
    first.stop()
    second = Bench(lambda: tiny(tmp_path / "tiny"))
    second.load(**disk)
    for number in (2, 3):
        second.engine.post(Add((sequence(number, 200),)))
    second.engine.post(Add((sequence(4, 30, start=5),)))
    assert {second.end() for _ in range(3)} == {(2, "length"), (3, "length"), (4, "length")}
    assert second.cached[2] >= 199 and second.cached[4] == 0
    assert second.generated[2] == first.generated[1]
    second.stop()


def test_a_sequence_cancelled_while_the_disk_is_read_never_begins(tmp_path: Path) -> None:
    disk = on_disk(tmp_path)
    first = Bench(lambda: tiny(tmp_path / "tiny"))
    first.load(**disk)
    first.engine.post(Add((sequence(1, 200),)))
    first.end()
    first.stop()
    second = Bench(lambda: tiny(tmp_path / "tiny"))
    second.load(**disk)
    second.engine.post(Add((sequence(2, 200),)))
    second.engine.post(Remove(2))
    second.engine.post(Add((sequence(3, 300),)))
    assert second.end() == (3, "length")
    second.stop()
    assert 2 not in second.generated and second.engine.running == 0
