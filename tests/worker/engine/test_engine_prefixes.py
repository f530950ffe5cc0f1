"""The engine's prefixes: no step waits for a disk, and none is dropped before it is looked up."""

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from inference.core.protocol import Shed
from inference.worker.engine.commands import Add, EndSequenceThinking
from inference.worker.prefix_cache import disk as disk_module
from tests.worker.engine.test_end_thinking import ANSWER, CLOSE, thinker
from tests.worker.engine.test_engine import Bench, on_disk
from tests.worker.models import sequence, tiny

pytestmark = pytest.mark.mlx


@pytest.fixture
def hanging_disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A disk that answers nothing before the test is over."""
    is_over = threading.Event()

    def hang(*args: object) -> None:
        is_over.wait(60)
        raise OSError("the disk is gone")

    monkeypatch.setattr(disk_module, "load_prompt_cache", hang)
    monkeypatch.setattr(disk_module, "save_prompt_cache", hang)
    monkeypatch.setattr("inference.worker.engine.engine._SAVE_AFTER_S", 0.01)
    monkeypatch.setattr("inference.worker.engine.engine._FLUSH_S", 0.01)
    yield
    is_over.set()


def test_steps_go_on_while_the_disk_writes_nothing(tmp_path: Path, hanging_disk: None) -> None:
    one = Bench(lambda: tiny(tmp_path / "tiny"))
    one.load(**on_disk(tmp_path))
    for number in range(4):
        one.engine.post(Add((sequence(number, 60, start=number),)))
        assert one.end() == (number, "length")
        time.sleep(0.05)  # idle for long enough to write
    one.stop()
    assert not one.engine.is_alive()


def test_others_go_on_and_the_prompt_is_computed_while_the_disk_reads_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    disk = on_disk(tmp_path)
    first = Bench(lambda: tiny(tmp_path / "tiny"))
    first.load(**disk)
    first.engine.post(Add((sequence(1, 200),)))
    first.end()
    first.stop()
    request.getfixturevalue("hanging_disk")
    monkeypatch.setattr(disk_module, "_READ_LIMIT_S", 0.5)
    second = Bench(lambda: tiny(tmp_path / "tiny"))
    second.load(**disk)
    second.engine.post(Add((sequence(2, 200),)))
    second.engine.post(Add((sequence(3, 30, start=5),)))
    assert [second.end(), second.end()] == [(3, "length"), (2, "length")]
    assert second.cached[2] == 0 and second.generated[2] == first.generated[1]
    second.stop()


def test_a_new_sequence_finds_its_prefix_before_it_is_shed(tmp_path: Path) -> None:
    one = Bench(lambda: tiny(tmp_path / "tiny"))
    one.load()
    first = sequence(1, 60)
    one.engine.post(Add((first,)))
    one.end()
    following = sequence(2, prompt=(*first.prompt, *one.generated[1], 1, 2))
    one.engine.post(Add((sequence(3, 1500, max_tokens=1),)))  # keeps the engine at a step meanwhile
    while 3 not in one.cached:
        time.sleep(0.001)
    one.engine.post(Shed(keep_bytes=0))
    one.engine.post(Add((following,)))
    assert {one.end() for _ in range(2)} == {(2, "length"), (3, "length")}
    assert one.cached[2] > 60
    one.stop()


def test_reasoning_ends_in_an_answer_that_waits_for_the_disk(tmp_path: Path) -> None:
    one, disk = replace(thinker(1, max_tokens=12), prompt=sequence(1, 200).prompt), on_disk(tmp_path)
    first = Bench(lambda: tiny(tmp_path / "tiny"))
    first.load(**disk)
    first.engine.post(Add((one,)))
    first.end()
    first.stop()
    begun = tuple(first.generated[1][:5])
    second = Bench(lambda: tiny(tmp_path / "tiny"))
    second.load(**disk)
    # Both are handled before the file has been read.
    second.engine.post(Add((replace(one, answered=begun, max_tokens=7),)))
    second.engine.post(EndSequenceThinking(1, (1,)))
    assert second.end() == (1, "length")
    second.stop()
    assert (second.thinking_ended, second.cached[1] >= 199) == (1, True)
    assert second.generated[1][:2] == [CLOSE, ANSWER]
