"""Spans leave a process as the settings and OpenTelemetry's variables say; each case has its own process."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from inference.core.config import BASE_DIR
from tests.serving.span_collector import Collector, running_collector

PROGRAM = """
import logging, sys
logging.basicConfig(format="%(levelname)s %(message)s")
if "without-package" in sys.argv:
    sys.modules["logfire"] = sys.modules["opentelemetry.exporter.otlp.proto.http.trace_exporter"] = None
from inference.serving import trace_export, tracing
from inference.core.requests import ChatRequest, Message
from inference.core.principal import Principal
from inference.core.config import Config
done = trace_export.configure(Config())
request = ChatRequest(model="tiny", messages=(Message(role="user", content="zanzibar"),))
with tracing.request_span(request, Principal(kind="local")):
    pass
print("configured", done)
if "finish" in sys.argv:
    trace_export.finish(limit_s=0.2)
    print("finished")
"""


@pytest.fixture
def collector() -> Iterator[Collector]:
    yield from running_collector()


def run(tmp_path: Path, *arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    env = os.environ | {"MLX_SERVER_DATA_DIR": str(tmp_path)} | variables
    command = [sys.executable, "-c", PROGRAM, *arguments]
    return subprocess.run(command, cwd=BASE_DIR, env=env, capture_output=True, text=True, check=True)


def test_spans_reach_the_collector_of_the_standard_variables(tmp_path: Path, collector: Collector) -> None:
    variables = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OTEL_EXPORTER_OTLP_HEADERS": "x-tenant=us"}
    done = run(tmp_path, **variables)
    assert "configured True" in done.stdout and done.stderr == ""
    ((path, body, tenant),) = collector.got
    assert (path, tenant) == ("/v1/traces", "us")
    (resource,) = ExportTraceServiceRequest.FromString(body).resource_spans
    assert "mlxsite" in [one.value.string_value for one in resource.resource.attributes]
    (span,) = resource.scope_spans[0].spans
    assert span.name == "chat tiny"
    assert {"gen_ai.operation.name", "gen_ai.request.model"} <= {one.key for one in span.attributes}
    assert b"zanzibar" not in body


def test_the_end_sends_what_is_left_and_waits_for_no_collector_that_is_away(
    tmp_path: Path, collector: Collector
) -> None:
    run(tmp_path, "finish", OTEL_EXPORTER_OTLP_ENDPOINT=collector.url)
    assert len(collector.got) == 1
    away = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9", "OTEL_EXPORTER_OTLP_TIMEOUT": "600"}
    done = run(tmp_path, "finish", **away)  # without a limit it would try for ten minutes
    assert "finished" in done.stdout


@pytest.mark.parametrize(
    "variables",
    [{}, {"OTEL_TRACES_EXPORTER": "none"}, {"OTEL_SDK_DISABLED": "true"}],
    ids=["nothing", "none", "disabled"],
)
def test_nothing_is_sent_unless_it_is_asked_for(
    tmp_path: Path, collector: Collector, variables: dict[str, str]
) -> None:
    named = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url} if variables else {}
    done = run(tmp_path, **named, **variables)
    assert "configured False" in done.stdout and done.stderr == ""
    assert collector.got == []


@pytest.mark.parametrize(
    ("arguments", "variables"),
    [
        (["without-package"], {"MLX_SERVER_LOGFIRE_ENABLED": "true"}),
        (["without-package"], {"OTEL_TRACES_EXPORTER": "otlp"}),
        ([], {"OTEL_TRACES_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}),
    ],
    ids=["logfire", "otlp", "grpc"],
)
def test_what_is_not_possible_is_one_warning_and_everything_works(
    tmp_path: Path, arguments: list[str], variables: dict[str, str]
) -> None:
    done = run(tmp_path, *arguments, **variables)
    assert "configured False" in done.stdout
    assert done.stderr.count("WARNING") == 1


def test_without_a_token_of_logfire_spans_are_printed_here_and_sent_to_a_collector(
    tmp_path: Path, collector: Collector
) -> None:
    named = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url}
    done = run(tmp_path, MLX_SERVER_LOGFIRE_ENABLED="true", **named)
    assert "configured True" in done.stdout
    assert "chat tiny" in done.stdout + done.stderr
    assert done.stderr.count("WARNING") == 1
    assert [b"chat tiny" in body for path, body, _ in collector.got if path == "/v1/traces"] == [True]
