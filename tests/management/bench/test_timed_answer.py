"""Rates of requests that were sent together."""

from inference.management.bench.timed_answer import AnswerRound, TimedAnswer


def answered(sent: float, pieces: tuple[float, ...], tokens: int) -> TimedAnswer:
    return TimedAnswer(
        sent=sent,
        begun=sent,
        ended=pieces[-1],
        pieces=pieces,
        tokens=tokens,
        prompt_tokens=5,
        cached_tokens=0,
    )


def test_rates_are_of_all_streams_together() -> None:
    both = AnswerRound((answered(10.0, (11.0, 14.0), 8), answered(10.0, (12.0, 15.0), 7)))
    assert both.request_rate == 15 / 5
    assert both.decode_rate == 14 / 4


def test_a_round_without_answers_has_no_rate() -> None:
    assert AnswerRound((), ("status 500",)).request_rate is None
    assert AnswerRound((), ("status 500",)).decode_rate is None


def test_failures_are_counted_and_each_reason_is_named_once() -> None:
    answer = answered(10.0, (11.0,), 1)
    failed = AnswerRound((answer,), ("status 500", "no usage", "status 500"))
    assert failed.failure_notes("ours") == ["ours: 3 of 4 requests failed (status 500, no usage)"]
    assert AnswerRound((answer,)).failure_notes("ours") == []


def test_an_answer_without_text_has_its_end_for_a_first_token() -> None:
    answer = TimedAnswer(
        sent=1.0, begun=2.0, ended=3.0, pieces=(), tokens=0, prompt_tokens=5, cached_tokens=0
    )
    assert (answer.first, answer.first_after_s) == (3.0, 2.0)
