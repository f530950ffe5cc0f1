"""Spans as an exporter sees them: one per request, with its phases, its tokens and its error."""

import asyncio
import os
import subprocess
import sys
from contextlib import aclosing
from pathlib import Path

import msgspec
import pytest
from msgspec import structs
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from inference.core.config import BASE_DIR
from inference.core.errors import ContextLengthExceeded
from inference.core.events import Accepted, Event, Finished, Progress, TextDelta, Timings, Usage
from inference.core.principal import Principal
from inference.core.requests import NEUTRAL, ChatRequest, Message
from inference.serving import generation
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
        (Progress(phase="loading", done=40, total=100), "loading", 0),
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


CONFIGURE = """
import logging, sys
logging.basicConfig(format="%(levelname)s %(message)s")
if "without-package" in sys.argv:
    sys.modules["logfire"] = None
from inference.serving import tracing
from inference.core.requests import ChatRequest, Message
from inference.core.principal import Principal
from inference.core.config import Config
done = tracing.configure(Config(logfire_enabled=True))
with tracing.request_span(ChatRequest(model="tiny", messages=()), Principal(kind="local")):
    pass
print("configured", done)
"""


def run_configure(tmp_path: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    env = os.environ | {"MLX_SERVER_DATA_DIR": str(tmp_path)}
    command = [sys.executable, "-c", CONFIGURE, *arguments]
    return subprocess.run(command, cwd=BASE_DIR, env=env, capture_output=True, text=True, check=True)


def test_without_the_package_there_is_one_warning_and_everything_works(tmp_path: Path) -> None:
    done = run_configure(tmp_path, "without-package")
    assert "configured False" in done.stdout
    assert done.stderr.count("WARNING") == 1


def test_without_a_token_spans_are_printed_here(tmp_path: Path) -> None:
    done = run_configure(tmp_path)
    assert "configured True" in done.stdout
    assert "chat tiny" in done.stdout + done.stderr
    assert done.stderr.count("WARNING") == 1
