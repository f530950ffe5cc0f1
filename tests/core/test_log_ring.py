"""The latest lines of the log: bounded, filtered, and there again after a restart."""

import logging
from pathlib import Path
from typing import Any

import pytest

from inference.core.log_lines import formatter
from inference.core.log_ring import EARLIER, FILE, LogFilter, LogRing, entries_in


def ring(**options: Any) -> LogRing:
    made = LogRing(**options)
    made.setFormatter(formatter("json"))
    return made


def log(
    to: LogRing, message: str, level: int = logging.INFO, name: str = "inference.pool", **facts: str
) -> None:
    record = logging.LogRecord(name, level, "", 0, message, (), None)
    vars(record).update(facts)
    to.handle(record)


def messages(of: LogRing, **wanted: str) -> list[str]:
    return [entry.message for entry in of.entries(LogFilter(**wanted))]


def test_the_newest_line_is_first_and_the_oldest_go_first() -> None:
    kept = ring(most_bytes=2000)
    for number in range(100):
        log(kept, f"line {number}")
    found = messages(kept)
    assert found[:2] == ["line 99", "line 98"] and 5 < len(found) < 50


def test_lines_are_filtered() -> None:
    kept = ring()
    log(kept, "loaded it", request_id="req_1", worker="worker[7]")
    log(kept, "memory is SHORT", logging.WARNING)
    log(kept, "refused", logging.ERROR, name="django.security", request_id="req_12")
    assert messages(kept, level="WARNING") == ["refused", "memory is SHORT"]
    assert messages(kept, request="req_1") == messages(kept, text="WORKER[7]") == ["loaded it"]
    assert messages(kept, text="short") == ["memory is SHORT"]
    assert messages(kept, logger="django.") == ["refused"]
    assert messages(kept, level="ERROR", text="short") == []


def test_a_very_long_line_is_cut() -> None:
    kept = ring()
    log(kept, "\N{SNOWMAN}" * 100_000)
    (entry,) = kept.entries()
    assert 1000 < len(entry.message) < 10_000


def test_lines_are_there_after_a_restart_and_for_other_processes(tmp_path: Path) -> None:
    first = ring()
    log(first, "before the folder was known")
    first.keep_in(tmp_path / "log")
    log(first, "after")
    first.stop_keeping()
    second = ring()
    second.keep_in(tmp_path / "log")
    expected = ["after", "before the folder was known"]
    second.stop_keeping()
    assert messages(second) == [one.message for one in entries_in(tmp_path / "log", LogFilter())] == expected
    assert (tmp_path / "log" / FILE).stat().st_mode & 0o077 == 0


def test_the_files_have_an_end(tmp_path: Path) -> None:
    kept = ring(most_bytes=5000)
    kept.keep_in(tmp_path)
    for number in range(300):
        log(kept, f"line {number}")
    kept.stop_keeping()
    assert {file.name for file in tmp_path.iterdir()} == {FILE, EARLIER}
    assert sum(file.stat().st_size for file in tmp_path.iterdir()) < 11_000
    again = ring(most_bytes=5000)
    again.keep_in(tmp_path)
    again.stop_keeping()
    assert messages(again)[0] == "line 299"


def test_a_line_that_was_cut_off_by_a_crash_does_no_harm(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b'{"time": "2026-\n\xff\xfe\n')
    kept = ring()
    kept.keep_in(tmp_path)
    log(kept, "next")
    kept.stop_keeping()
    assert messages(kept) == ["next"]


def test_a_disk_that_is_gone_ends_the_file_and_not_the_log(tmp_path: Path) -> None:
    kept = ring(most_bytes=500)
    kept.keep_in(tmp_path / "log")
    (tmp_path / "log" / FILE).unlink()
    for number in range(20):
        log(kept, f"line {number}")
    assert messages(kept)[0] == "line 19"


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError):
        ring().keep_in(tmp_path / "file" / "log")


def test_a_file_outlives_another_set_up_of_logging(tmp_path: Path) -> None:
    kept = ring()
    kept.keep_in(tmp_path)
    logging.shutdown([lambda: kept])  # as logging.config does to all handlers
    log(kept, "after")
    kept.stop_keeping()
    assert [entry.message for entry in entries_in(tmp_path, LogFilter())] == ["after"]
