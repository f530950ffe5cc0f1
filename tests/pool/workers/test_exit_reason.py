from inference.pool.workers import exit_reason
from tests.each import each


@each(
    ("code", "reason"),
    [
        (-9, "killed by signal 9 (often: the system ran out of memory)"),
        (-6, "killed by signal 6 (it aborted inside a native library)"),
        (-64, "killed by signal 64"),
        (70, "ended with code 70: an internal error; the log has it"),
        (3, "ended with code 3: the log may say why"),
        (None, "ended unexpectedly"),
    ],
)
def test_an_exit_status_has_a_name(code: int | None, reason: str) -> None:
    assert exit_reason.from_exit_code(code) in {f"its process was {reason}", f"its process {reason}"}


def test_a_stuck_worker_is_reported_with_its_time_and_its_requests() -> None:
    assert exit_reason.from_silence(120.0, 3) == "it made no progress for 120 s while 3 requests ran"
    assert exit_reason.from_silence(0.5, 1) == "it made no progress for 0.5 s while 1 request ran"


def test_a_silent_loader_is_reported_without_requests() -> None:
    assert exit_reason.from_silence(120.0, 0) == "it did not respond for 120 s"


@each(("code", "kind"), [(-9, "out_of_memory"), (-11, "died"), (70, "died"), (None, "died")])
def test_only_the_system_takes_memory_back_by_force(code: int | None, kind: str) -> None:
    assert exit_reason.load_failure_kind(code) == kind


@each(
    ("code", "reason"),
    [
        (-9, "killed"),
        (-11, "crashed"),
        (65, "protocol"),
        (70, "internal_error"),
        (75, "prompt_timeout"),
        (3, "exited"),
        (None, "unknown"),
    ],
)
def test_deaths_are_counted_by_their_kind(code: int | None, reason: str) -> None:
    assert exit_reason.death_reason(code) == reason
