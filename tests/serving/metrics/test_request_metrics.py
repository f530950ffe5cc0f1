import asyncio
from collections.abc import Iterator

import pytest
from prometheus_client import CollectorRegistry

from inference.core.errors import ServerError, Unavailable
from inference.core.events import Accepted, Ended, Event, Finished, ReasoningDelta, TextDelta, Timings, Usage
from inference.core.principal import ANYBODY
from inference.core.requests import ChatRequest, Message
from inference.serving.metrics.request_metrics import RequestMetrics
from inference.serving.recording.request_recorder import recorded
from tests.serving.metrics.values import counts, value

REQUEST = ChatRequest(model="tiny", messages=(Message(role="user", content="hi"),))


class Measured:
    """A request whose events come at times given by hand."""

    def __init__(self) -> None:
        self.now = 100.0
        self.registry = CollectorRegistry()
        self.metrics = RequestMetrics(self.registry, clock=lambda: self.now)

    def run(self, *events: tuple[float, Event], error: BaseException | None = None) -> None:
        """Each event comes so many seconds after the one before."""
        with (
            self.metrics.measured(lambda: "tiny") as meter,
            recorded(REQUEST, ANYBODY, lambda entry: None) as recorder,
        ):
            meter.follow(recorder.entry)
            for after, event in events:
                self.now += after
                recorder.note(event)
                meter.note(event)
            if error:
                raise error

    def seen(self, name: str) -> tuple[float, float]:
        """How often a histogram was observed, and the sum."""
        count, total = (
            value(self.registry, f"{name}_seconds_{part}", model="tiny") for part in ("count", "sum")
        )
        return count, total


@pytest.fixture
def measured() -> Iterator[Measured]:
    yield Measured()


def finished(tokens: int = 4) -> Finished:
    usage = Usage(
        prompt_tokens=7, completion_tokens=tokens, cached_tokens=3, drafted_tokens=5, accepted_tokens=2
    )
    return Finished(usage=usage, timings=Timings(queue_s=0.5, prefill_s=1.5, decode_s=2.5))


def test_a_whole_request(measured: Measured) -> None:
    measured.run(
        (1.0, Accepted(prompt_tokens=7, max_tokens=10)),
        (1.0, ReasoningDelta(text="a")),
        (0.5, TextDelta(text="b")),
        (1.0, TextDelta(text="cd", tokens=2)),
        (0.0, Ended(reason="stop")),
        (0.0, finished(tokens=5)),
    )
    registry = measured.registry
    assert value(registry, "requests_total", endpoint="other", model="tiny", status="200") == 1
    assert counts(registry, "answers_total", "reason") == {"stop": 1}
    kinds = ("prompt", "generation", "cached", "drafted", "accepted", "cancelled")
    names = [f"{kind}_tokens{'_saved' if kind == 'cancelled' else ''}_total" for kind in kinds]
    assert [value(registry, name, model="tiny") for name in names] == [7, 5, 3, 5, 2, 0]
    assert measured.seen("time_to_first_token") == (1, 2.0)
    assert measured.seen("inter_token_latency") == (3, 1.5)
    assert measured.seen("e2e_request_latency") == (1, 3.5)
    assert measured.seen("request_prefill_time") == (1, 1.5)
    assert measured.seen("request_decode_time") == (1, 2.5)


def test_answers_of_one_request_have_gaps_of_their_own(measured: Measured) -> None:
    deltas = [TextDelta(text="x", index=index) for index in (0, 1, 0, 1)]
    measured.run(*((1.0, delta) for delta in deltas), (0.0, finished()))
    assert measured.seen("inter_token_latency") == (2, 4.0)
    assert measured.seen("time_to_first_token") == (1, 1.0)


def test_text_without_a_token_is_no_token(measured: Measured) -> None:
    measured.run((1.0, TextDelta(text="echo", tokens=0)), (1.0, TextDelta(text="a")))
    assert measured.seen("time_to_first_token") == (1, 2.0)
    assert measured.seen("inter_token_latency") == (0, 0)


@pytest.mark.parametrize("leaving", [asyncio.CancelledError, GeneratorExit])
def test_a_client_that_leaves_is_499_and_saves_tokens(
    measured: Measured, leaving: type[BaseException]
) -> None:
    with pytest.raises(leaving):
        measured.run(
            (0.0, Accepted(prompt_tokens=7, max_tokens=64)),
            (0.0, TextDelta(text="abc", tokens=4)),
            error=leaving(),
        )
    assert counts(measured.registry, "requests_total", "status") == {"499": 1}
    assert value(measured.registry, "cancelled_tokens_saved_total", model="tiny") == 60
    assert value(measured.registry, "generation_tokens_total", model="tiny") == 4


@pytest.mark.parametrize(
    ("error", "status"), [(Unavailable("Not now."), "503"), (RuntimeError("broken"), "500")]
)
def test_an_error_is_counted_with_its_status(measured: Measured, error: Exception, status: str) -> None:
    with pytest.raises((ServerError, RuntimeError)):
        measured.run(error=error)
    assert counts(measured.registry, "requests_total", "status") == {status: 1}
    assert value(measured.registry, "cancelled_tokens_saved_total", model="tiny") == 0


def test_a_reader_that_has_it_all_did_not_leave(measured: Measured) -> None:
    with pytest.raises(GeneratorExit):
        measured.run((0.0, finished()), error=GeneratorExit())
    assert counts(measured.registry, "requests_total", "status") == {"200": 1}


def test_only_a_request_that_waited_for_a_load_has_a_load_time(measured: Measured) -> None:
    measured.run((1.0, finished()))
    assert measured.seen("request_load_time") == (0, 0)
