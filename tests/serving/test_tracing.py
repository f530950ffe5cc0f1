"""Spans as an exporter sees them: one per request, with its phases, its tokens and its error."""

import asyncio
from contextlib import aclosing
from contextvars import copy_context

import msgspec
import pytest
from msgspec import structs
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind

from inference.core import request_id
from inference.core.errors import ContextLengthExceeded
from inference.core.events import Accepted, Event, Finished, Progress, TextDelta, Timings, Usage
from inference.core.principal import Principal
from inference.core.requests import NEUTRAL, ChatRequest, Message, Sampling
from inference.serving import generation, tracing
from inference.serving.tracing import request_span
from tests.fakes import FakeRunner, serving

REQUEST = ChatRequest(model="tiny", messages=(Message(role="user", content="hi"),))
LOCAL = Principal(kind="local")


@pytest.fixture(scope="module")
def exporter() -> InMemorySpanExporter:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    return exporter


@pytest.fixture
def spans(exporter: InMemorySpanExporter) -> InMemorySpanExporter:
    exporter.clear()
    return exporter


def named(spans: InMemorySpanExporter, name: str) -> ReadableSpan:
    (found,) = [span for span in spans.get_finished_spans() if span.name == name]
    return found


async def test_a_request_has_a_span_with_its_model_and_tokens(spans: InMemorySpanExporter) -> None:
    with serving(FakeRunner(prompt_tokens=7)):
        async with aclosing(generation.stream(REQUEST, LOCAL)) as events:
            assert [event async for event in events]
    attributes = dict(named(spans, "chat tiny").attributes or {})
    assert (attributes["model"], attributes["prompt_tokens"], attributes["completion_tokens"]) == (
        "tiny",
        7,
        2,
    )
    assert attributes["finish_reason"] == "stop"


async def test_a_request_has_its_caller_and_its_own_labels(spans: InMemorySpanExporter) -> None:
    request = structs.replace(REQUEST, user="ann", labels=(("team", "blue"),))
    with serving(FakeRunner()):
        async with aclosing(generation.stream(request, LOCAL)) as events:
            assert [event async for event in events]
    attributes = dict(named(spans, "chat tiny").attributes or {})
    assert (attributes["user"], attributes["metadata.team"]) == ("ann", "blue")


async def test_a_load_has_a_span(spans: InMemorySpanExporter) -> None:
    with serving(FakeRunner()):
        async with aclosing(generation.stream(REQUEST, LOCAL)) as events:
            assert [event async for event in events]
    assert dict(named(spans, "load tiny").attributes or {})["model"] == "tiny"


async def test_a_refused_request_has_its_error_code(spans: InMemorySpanExporter) -> None:
    with (
        serving(FakeRunner(refuse_with=ContextLengthExceeded("too long"))),
        pytest.raises(ContextLengthExceeded),
    ):
        async for _ in generation.stream(REQUEST, LOCAL):
            pass
    span = named(spans, "chat tiny")
    assert dict(span.attributes or {})["error_code"] == "context_length_exceeded"
    assert not span.status.is_ok


async def left_at(event: Event, runner: FakeRunner) -> None:
    """Ask, and leave at the first event of `event`'s kind that looks like it."""
    request = msgspec.structs.replace(REQUEST, max_tokens=100)
    with serving(runner):
        async with aclosing(generation.stream(request, LOCAL)) as events:
            async for seen in events:
                if seen == event:
                    return
    raise AssertionError(f"{event} did not come")


@pytest.mark.parametrize(
    ("event", "phase", "made"),
    [
        (Progress(phase="loading", done=40, total=100, load_phase="weights"), "loading", 0),
        (Accepted(prompt_tokens=5, max_tokens=100, sampling=NEUTRAL), "prefill", 0),
        (TextDelta(text="b"), "decode", 2),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_a_client_that_leaves_is_recorded_with_the_work_it_saved(
    spans: InMemorySpanExporter, event: Event, phase: str, made: int
) -> None:
    gate = asyncio.Event() if phase == "loading" else None
    await left_at(event, FakeRunner(("a", "b", "c"), load_gate=gate))
    span = named(spans, "chat tiny")
    attributes = dict(span.attributes or {})
    assert (attributes["cancelled"], attributes["phase"]) == (True, phase)
    assert (attributes["completion_tokens"], attributes["tokens_saved"]) == (made, 100 - made)
    assert "error_code" not in attributes


def test_saved_tokens_are_what_the_model_still_might_have_made(spans: InMemorySpanExporter) -> None:
    with pytest.raises(asyncio.CancelledError), request_span(REQUEST, LOCAL) as span:
        span.note(Accepted(prompt_tokens=3, max_tokens=64))
        span.note(TextDelta(text="abc", tokens=4))
        raise asyncio.CancelledError
    assert dict(named(spans, "chat tiny").attributes or {})["tokens_saved"] == 60


def test_a_reader_that_has_it_all_did_not_leave(spans: InMemorySpanExporter) -> None:
    with pytest.raises(GeneratorExit), request_span(REQUEST, LOCAL) as span:
        span.note(Finished(usage=Usage(prompt_tokens=3)))
        raise GeneratorExit
    assert "cancelled" not in dict(named(spans, "chat tiny").attributes or {})


def test_prefill_and_decode_are_children_with_the_workers_durations(spans: InMemorySpanExporter) -> None:
    usage = Usage(prompt_tokens=3, completion_tokens=4)
    with request_span(REQUEST, LOCAL) as span:
        span.note(Finished(usage=usage, timings=Timings(prefill_s=0.5, decode_s=2.0)))
    prefill, decode, parent = named(spans, "prefill"), named(spans, "decode"), named(spans, "chat tiny")
    assert decode.parent and decode.parent.span_id == parent.context.span_id
    assert ((decode.end_time or 0) - (decode.start_time or 0)) / 1e9 == pytest.approx(2.0)
    assert prefill.end_time == decode.start_time


async def test_a_request_is_described_in_the_terms_of_the_conventions(spans: InMemorySpanExporter) -> None:
    request = structs.replace(REQUEST, max_tokens=9, sampling=Sampling(temperature=0.5, seed=7), n=2)
    with serving(FakeRunner(prompt_tokens=7)):
        async with aclosing(generation.stream(request, LOCAL)) as events:
            assert [event async for event in events]
    span = named(spans, "chat tiny")
    attributes = dict(span.attributes or {})
    assert span.kind == SpanKind.SERVER
    assert {name: value for name, value in attributes.items() if name.startswith("gen_ai")} == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "mlxsite",
        "gen_ai.request.model": "tiny",
        "gen_ai.request.max_tokens": 9,
        "gen_ai.request.choice.count": 2,
        "gen_ai.request.temperature": 0.5,
        "gen_ai.request.seed": 7,
        "gen_ai.usage.input_tokens": 7,
        "gen_ai.usage.output_tokens": 2,
        "gen_ai.usage.cache_read.input_tokens": 0,
        "gen_ai.usage.reasoning.output_tokens": 0,
        "gen_ai.response.finish_reasons": ("stop",),
    }
    assert [event.name for event in span.events] == ["accepted", "first_token"]


def test_waits_are_children_in_their_order(spans: InMemorySpanExporter) -> None:
    events: list[Event] = [
        Progress(phase="queued", done=1),
        Progress(phase="queued"),
        Progress(phase="loading"),
        Accepted(prompt_tokens=3),
        TextDelta(text="a"),
        Progress(phase="paused"),
        TextDelta(text="b"),
    ]
    with request_span(REQUEST, LOCAL) as span:
        for event in events:
            span.note(event)
    parent = named(spans, "chat tiny")
    waits = [named(spans, name) for name in ("queue", "load", "pause")]
    assert {one.parent and one.parent.span_id for one in waits} == {parent.context.span_id}
    assert waits[0].end_time and waits[1].start_time and waits[0].end_time <= waits[1].start_time


def test_a_wait_that_nothing_ends_is_there_too(spans: InMemorySpanExporter) -> None:
    with pytest.raises(asyncio.CancelledError), request_span(REQUEST, LOCAL) as span:
        span.note(Progress(phase="queued"))
        raise asyncio.CancelledError
    assert named(spans, "queue").end_time
    assert dict(named(spans, "chat tiny").attributes or {})["phase"] == "queued"


def test_an_error_has_its_type(spans: InMemorySpanExporter) -> None:
    with pytest.raises(ContextLengthExceeded), request_span(REQUEST, LOCAL):
        raise ContextLengthExceeded("too long")
    assert dict(named(spans, "chat tiny").attributes or {})["error.type"] == "context_length_exceeded"


def test_the_trace_of_the_client_goes_on_and_the_span_has_the_request_id(spans: InMemorySpanExporter) -> None:
    trace_id, parent_id = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"

    def run(traceparent: str) -> None:
        tracing.follow({"traceparent": traceparent})
        request_id.begin("trace-1")
        with request_span(REQUEST, LOCAL):
            pass

    copy_context().run(run, f"00-{trace_id}-{parent_id}-01")
    span = named(spans, "chat tiny")
    assert span.parent and f"{span.parent.span_id:016x}" == parent_id
    assert f"{span.context.trace_id:032x}" == trace_id
    assert dict(span.attributes or {})["request_id"] == "trace-1"
    spans.clear()
    copy_context().run(run, "made up")
    assert named(spans, "chat tiny").parent is None
