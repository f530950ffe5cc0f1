"""Token counts and times of an answer."""

from msgspec import structs

from inference.api.openai.usage import timings_of, usage_of
from inference.core.events import Finished, Timings, Usage

USAGE = Usage(prompt_tokens=10, completion_tokens=6, cached_tokens=4, reasoning_tokens=2)


def test_counts_are_openais() -> None:
    assert usage_of(USAGE) == {
        "prompt_tokens": 10,
        "completion_tokens": 6,
        "total_tokens": 16,
        "prompt_tokens_details": {"cached_tokens": 4},
        "completion_tokens_details": {"reasoning_tokens": 2},
    }


def test_cached_tokens_are_not_counted_as_computed() -> None:
    timings = timings_of(Finished(usage=USAGE, timings=Timings(queue_s=1, prefill_s=2, decode_s=0.5)))
    assert (timings["prompt_n"], timings["prompt_ms"], timings["prompt_per_second"]) == (6, 2000, 3)
    assert (timings["predicted_n"], timings["predicted_per_second"], timings["queue_ms"]) == (6, 12, 1000)


def test_a_phase_that_took_no_time_has_no_rate() -> None:
    timings = timings_of(Finished(usage=USAGE))
    assert (timings["prompt_per_second"], timings["predicted_per_second"]) == (None, None)


def test_counts_of_a_prediction_come_where_there_was_one() -> None:
    usage = structs.replace(USAGE, predicted_tokens=9, accepted_predicted_tokens=7)
    details = usage_of(usage)["completion_tokens_details"]
    assert (details["accepted_prediction_tokens"], details["rejected_prediction_tokens"]) == (7, 2)
    unused = usage_of(structs.replace(USAGE, predicted_tokens=0))["completion_tokens_details"]
    assert (unused["accepted_prediction_tokens"], unused["rejected_prediction_tokens"]) == (0, 0)


def test_timings_have_the_drafts_where_there_were_any() -> None:
    drafted = structs.replace(USAGE, drafted_tokens=5, accepted_tokens=3)
    timings = timings_of(Finished(usage=drafted))
    assert (timings["draft_n"], timings["draft_n_accepted"]) == (5, 3)
    assert "draft_n" not in timings_of(Finished(usage=USAGE))
