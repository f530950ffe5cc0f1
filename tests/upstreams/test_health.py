from inference.upstreams.health import LONGEST_PAUSE_S, Health


def test_the_first_failure_costs_no_pause_and_later_ones_twice_as_long_each() -> None:
    health, now, pauses = Health(), 100.0, []
    for _ in range(10):
        health.note_failure(now, "it cannot be reached")
        pauses.append(max(0.0, health.retry_at - now))
        now = max(now, health.retry_at)
    assert pauses == [0, 1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert pauses[-1] == LONGEST_PAUSE_S


def test_failures_while_it_rests_make_no_pause_longer_and_an_answer_ends_it() -> None:
    health = Health()
    for _ in range(2):
        health.note_failure(100.0, "it failed")
    for _ in range(5):
        health.note_failure(100.5, "it failed")
    assert health.is_resting(100.5) and not health.is_resting(101.0)
    health.note_answer()
    assert not health.is_resting(100.5)


def test_a_busy_server_rests_as_long_as_it_asks_for() -> None:
    health = Health()
    health.note_busy(100.0, 7.0)
    assert health.is_resting(106.9) and not health.is_resting(107.0)
    assert health.failures == 0


def test_its_state_in_words() -> None:
    health = Health()
    assert health.status_text(0.0) == "not asked yet"
    health.note_failure(100.0, "it cannot be reached")
    assert health.status_text(100.0) == "failing: it cannot be reached; the next request asks it again"
    health.note_failure(100.0, "it cannot be reached")
    assert health.status_text(100.0) == "failing: it cannot be reached; asked again in 1 s"
    health.note_answer()
    assert health.status_text(100.0) == "answers"
    health.streams = 2
    assert health.status_text(100.0) == "answers, 2 in progress"
