"""Recovery from failed steps: every sequence ends, and only the one at fault is lost."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.core.requests import Sampling
from inference.worker.engine.recovery import ResilientBatch
from inference.worker.engine.sequence import Lost, Output, Prefilled, Sampled, Sequence

pytestmark = pytest.mark.mlx
NEVER = 10**6


@dataclass
class Device:
    """How many rows it can step at once, and which sequences fail with which token."""

    most: int = NEVER
    bad: dict[int, int] = field(default_factory=dict)
    unremovable: frozenset[int] = frozenset()
    steps: int = 0


@dataclass
class Rows:
    """A Steppable that computes nothing: a chunk of prompt for each row, then a token for each."""

    device: Device
    rows: dict[int, Sequence] = field(default_factory=dict)
    left: dict[int, int] = field(default_factory=dict)
    made: dict[int, int] = field(default_factory=dict)

    @property
    def is_busy(self) -> bool:
        return bool(self.rows)

    @property
    def ids(self) -> list[int]:
        return list(self.rows)

    @property
    def kv_bytes(self) -> int:
        return 0

    @property
    def unfinished(self) -> list[Sequence]:
        return [
            replace(
                one,
                answered=(*one.answered, *range(self.made[one.id])),
                max_tokens=one.max_tokens - self.made[one.id],
            )
            for one in self.rows.values()
        ]

    def add(self, *group: Sequence) -> None:
        for one in group:
            self.rows[one.id], self.left[one.id], self.made[one.id] = one, len(one.prompt), 0

    def remove(self, number: int, /) -> None:
        if number in self.rows and number in self.device.unremovable:
            raise RuntimeError("no memory to keep its caches")
        self.rows.pop(number, None)

    def end_thinking(self, number: int, /) -> bool:
        return number in self.rows

    def step(self) -> Iterator[Output]:
        self.device.steps += 1
        if len(self.rows) > self.device.most:
            raise RuntimeError("not enough memory for so many rows")
        for number, one in list(self.rows.items()):
            if self.left[number]:
                self.left[number] -= 1
                yield Prefilled(number, len(one.prompt) - self.left[number], len(one.prompt))
                continue
            if len(one.answered) + self.made[number] == self.device.bad.get(number, NEVER):
                raise RuntimeError("poisoned")
            self.made[number] += 1
            is_last = self.made[number] == one.max_tokens
            if is_last:
                del self.rows[number]
            yield Sampled(number, 0, "length" if is_last else None)


def sequence(number: int, chunks: int = 1, tokens: int = 5) -> Sequence:
    return Sequence(
        id=number,
        prompt=(0,) * chunks,
        max_tokens=tokens,
        sampling=Sampling(),
        stop_ids=frozenset(),
    )


Outputs = dict[int, list[str]]  # of each sequence: "t" for a token, then "length" or "lost"


def run(batch: ResilientBatch, most_steps: int, outputs: Outputs | None = None) -> Outputs:
    """Step until the batch is empty; fails if that takes more steps than this."""
    outputs = {} if outputs is None else outputs
    for _ in range(most_steps):
        if not batch.is_busy:
            return outputs
        step(batch, outputs)
    raise AssertionError(f"it goes on after {most_steps} steps: {outputs}")


def step(batch: ResilientBatch, outputs: Outputs) -> None:
    for output in batch.step():
        if isinstance(output, Lost):
            outputs.setdefault(output.id, []).append("lost")
        elif isinstance(output, Sampled):
            outputs.setdefault(output.id, []).append(output.finish or "t")


@given(data=st.data())
def test_whatever_fails_everybody_ends_and_only_the_bad_are_lost(data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 10))
    shapes = [data.draw(st.tuples(st.integers(1, 30), st.integers(1, 40))) for _ in range(count)]
    bad = data.draw(st.dictionaries(st.integers(0, count - 1), st.integers(0, 30), max_size=3))
    bad = {number: at for number, at in bad.items() if at < shapes[number][1]}
    device = Device(most=data.draw(st.integers(1, 10)), bad=bad)
    batch = ResilientBatch(lambda: Rows(device), lambda: None)
    numbers, outputs = iter(range(count)), Outputs()
    while group := tuple(itertools.islice(numbers, data.draw(st.integers(1, 4)))):
        batch.add(*(sequence(number, *shapes[number]) for number in group))
        for _ in range(data.draw(st.integers(0, 3))):
            step(batch, outputs)
    run(batch, 20_000, outputs)
    for number, (_, tokens) in enumerate(shapes):
        is_bad = number in bad
        made = bad[number] if is_bad else tokens - 1
        assert outputs[number] == ["t"] * made + ["lost" if is_bad else "length"]


@given(data=st.data())
def test_a_sequence_cancelled_at_any_moment_receives_nothing_more(data: st.DataObject) -> None:
    device = Device(
        most=data.draw(st.integers(1, 6)),
        bad={0: 3},
        unremovable=frozenset(data.draw(st.sets(st.integers(0, 5)))),
    )
    batch = ResilientBatch(lambda: Rows(device), lambda: None)
    for number in range(6):
        batch.add(sequence(number, 3, 20))
    gone = data.draw(st.integers(0, 5))
    for _ in range(data.draw(st.integers(0, 40))):
        list(batch.step())
    batch.remove(gone)
    assert gone not in batch.ids
    outputs = run(batch, 5_000)
    assert gone not in outputs and not batch.ids


@pytest.mark.parametrize(("count", "most", "chunks"), [(8, 7, 1), (2, 1, 7), (8, 4, 2), (32, 3, 20)])
def test_those_without_room_take_turns_and_lose_nothing(count: int, most: int, chunks: int) -> None:
    device = Device(most=most)
    batch = ResilientBatch(lambda: Rows(device), lambda: None)
    batch.add(*(sequence(number, chunks, 10) for number in range(count)))
    outputs = run(batch, 5_000)
    assert outputs == {number: ["t"] * 9 + ["length"] for number in range(count)}


def test_memory_is_given_back_before_anything_is_computed_again() -> None:
    device, failures = Device(most=1), []
    batch = ResilientBatch(lambda: Rows(device), lambda: failures.append(device.steps))
    batch.add(sequence(1), sequence(2))
    run(batch, 200)
    assert failures and failures[0] == 1


def test_one_that_fails_by_itself_is_tried_once_more_and_then_lost() -> None:
    device = Device(bad={1: 0})
    batch = ResilientBatch(lambda: Rows(device), lambda: None)
    batch.add(sequence(1, chunks=2))
    assert run(batch, 50) == {1: ["lost"]}
    assert device.steps == 6  # two chunks and the token that fails, twice


def test_the_width_is_forgotten_once_nobody_is_left() -> None:
    device = Device(most=2)
    batch = ResilientBatch(lambda: Rows(device), lambda: None)
    batch.add(*(sequence(number) for number in range(4)))
    run(batch, 500)
    device.most = NEVER
    batch.add(*(sequence(number) for number in range(10, 18)))
    assert len(batch.ids) == 8 and not batch._waiting
