"""Which rows are measured, and what single rows count."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from django.core.management import CommandError, call_command

from inference.management.bench import ROWS, gap, prompts, sse, turns
from inference.management.bench.bench import Bench
from inference.management.bench.figures import Figure, figure
from inference.management.bench.table import BenchReport
from inference.management.commands.bench import selected_rows


def test_rows_are_measured_in_their_own_order() -> None:
    assert selected_rows("sse, streams") == ["streams", "sse"]


def test_all_rows_are_known() -> None:
    assert selected_rows(",".join(ROWS)) == list(ROWS)


def test_an_unknown_row_is_named_beside_the_known_ones() -> None:
    with pytest.raises(CommandError, match=r"no row 'strems'; the rows are streams, seeded"):
        selected_rows("streams,strems")


def test_a_folder_without_a_model_is_refused_before_anything_starts(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="no config.json"):
        call_command("bench", "--model", str(tmp_path), "--rows", "sse")


def test_an_interrupted_run_reports_what_it_has_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(bench: Bench) -> Iterator[Figure]:
        yield figure("seeded", "the first part", "s", [1.5])
        os.kill(os.getpid(), signal.SIGTERM)  # programs in the background of a shell ignore SIGINT
        yield figure("seeded", "the second part", "s", [2.5])

    monkeypatch.setitem(ROWS, "seeded", interrupted)
    (tmp_path / "config.json").write_text("{}")
    file = tmp_path / "figures.json"
    with pytest.raises(SystemExit) as ended:
        call_command("bench", "--model", str(tmp_path), "--rows", "seeded,sse", "--json", str(file))
    assert ended.value.code == 1
    report = msgspec.json.decode(file.read_bytes(), type=BenchReport)
    assert [one.what for one in report.figures] == ["the first part"]
    assert report.failures == ("seeded and what follows: interrupted",)


def test_no_two_prompts_are_alike() -> None:
    asked = [prompts.short(8)["messages"][0]["content"] for _ in range(20)]
    assert len({answer[:8] for answer in asked}) == 20


def test_the_next_turn_keeps_the_chat() -> None:
    first = prompts.long(50, 8)
    then = prompts.next_turn(first, "Once upon a time")
    assert then["messages"][0] == first["messages"][0]
    assert [message["role"] for message in then["messages"]] == ["user", "assistant", "user"]


def test_only_gaps_that_touch_the_load_are_counted() -> None:
    times = [0.0, 1.0, 2.0, 5.0, 6.0, 9.0]
    assert gap.gaps_within(times, (2.5, 5.5)) == [3.0, 1.0]


def test_the_wait_that_is_worst_is_the_one_that_strict_order_would_shorten_most() -> None:
    assert turns.worst((4.0, 9.0, 10.0), (4.0, 3.0, 8.0)) == (9.0, 3.0)
    assert turns.worst((4.0,), (4.0, 3.0)) is None
    assert turns.worst((), ()) is None


async def test_events_are_counted_wherever_the_reads_cut_them() -> None:
    chunk = b'data: {"choices":[{"index":0,"delta":{"content":" word"}}]}\n\n'
    for cut in range(1, 2 * len(chunk)):
        reader = sse.StreamReader(tokens=2)
        reader.data_received(b"data: {}\n\n")
        reader.data_received((2 * chunk)[:cut])
        reader.data_received((2 * chunk)[cut:])
        assert reader.events == 2
        assert reader.done.done()
