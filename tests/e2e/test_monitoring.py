"""A site that is watched: what Prometheus reads of a real run, and what is in its log."""

import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.e2e.prometheus import DEPLOY, IS_HERE, Prometheus, board_queries, prometheus
from tests.e2e.site import Site, holder
from tests.nightly import nightly
from tests.serving.span_collector import Collector, running_collector
from tests.tiny import make_tiny_model, never_ends

pytestmark = pytest.mark.e2e
KEY = "sesame-the-operators-key"
MARK = "zanzibar"  # in every prompt and in every wrong secret
WRONG = f"mlx-0123456789ab-{MARK * 6}"[:60]
JSON = {"Content-Type": "application/json"}
OTHERS: dict[str, dict[str, object]] = {
    "/v1/completions": {"prompt": MARK, "max_tokens": 2},
    "/v1/responses": {"input": MARK, "max_output_tokens": 16},
    "/v1/messages": {"messages": [{"role": "user", "content": MARK}], "max_tokens": 2},
    "/ollama/api/generate": {"prompt": MARK, "options": {"num_predict": 2}},
    "/v1/tokenize": {"prompt": MARK},
}
needs_prometheus = pytest.mark.skipif(not IS_HERE, reason="needs Prometheus: apt-get install prometheus")


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    yield from running_collector()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, collector: Collector) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("watched")
    never_ends(make_tiny_model(folder / "models" / "tiny"))
    log = {"LOG_FORMAT": "json", "LOG_LEVEL": "DEBUG", "ACCESS_LOG": "true"}
    env = {f"MLX_SERVER_{name}": value for name, value in log.items()}
    env |= {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OTEL_BSP_SCHEDULE_DELAY": "200"}
    with Site(folder, "--no-starter", env=env | {"MLX_SERVER_API_KEY": KEY}) as site:
        site.wait_ready(60)
        run(site)
        yield site


def web(site: Site) -> httpx.Client:
    return httpx.Client(base_url=site.url, headers=as_bearer(KEY), timeout=60)


def as_bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


def body(**fields: object) -> dict[str, object]:
    message = {"role": "user", "content": f"{MARK} one two three {MARK} one two three"}
    return {"model": "tiny", "messages": [message], "max_tokens": 12, "temperature": 0, **fields}


def run(site: Site) -> None:
    """Requests of every outcome: good, wrong, unknown, refused, left early, and a worker's death."""
    with web(site) as client:
        chat = "/v1/chat/completions"
        for _ in range(2):
            assert client.post(chat, json=body(), headers={"X-Request-Id": "trace-1"}).status_code == 200
        for path, fields in OTHERS.items():
            assert client.post(path, json={"model": "tiny", **fields}).status_code == 200, path
        holder(site).kill()
        client.post(chat, json=body(max_tokens=2))  # it may see the death
        with client.stream("POST", chat, json=body(stream=True, max_tokens=400)) as stream:
            next(stream.iter_lines())
        wrong = [
            client.post(chat, json=body(model=f"{MARK}\n{MARK}")),
            client.post(chat, json=body(temperature=MARK)),
            client.post(chat, content=f'{{"model": "{MARK}'.encode(), headers=JSON),
            client.post(f"{chat}?key={MARK}", json=body(logit_bias={MARK: 999})),
            *(client.post(chat, json=body(), headers=sent) for sent in (as_bearer(WRONG), as_bearer(MARK))),
            client.post("/admin/login/", data={"username": MARK, "password": MARK}),
            client.get(f"/nowhere?q={MARK}"),
        ]
        assert {response.status_code for response in wrong} <= {400, 401, 403, 404}
        deadline = time.monotonic() + 60
        while client.post(chat, json=body(max_tokens=2)).status_code != 200:
            assert time.monotonic() < deadline, site.output
            time.sleep(0.2)


def log_of(site: Site) -> list[str]:
    return site.output.partition("Press Ctrl-C to stop.\n")[2].splitlines()


def test_the_log_is_json_with_request_ids_and_has_no_prompt_and_no_secret(site: Site) -> None:
    lines = [json.loads(line) for line in log_of(site)]
    access = [line for line in lines if line["logger"] == "mlxsite.access"]
    assert {(line["status"], line["path"]) for line in access} >= {
        (200, "/v1/chat/completions"),
        (404, "/nowhere"),
    }
    assert all(line["request_id"] for line in access)
    assert [line["request_id"] for line in access].count("trace-1") == 2
    deaths = [line for line in lines if line["message"].startswith("The worker of tiny died")]
    assert [line["level"] for line in deaths] == ["ERROR"]
    assert MARK not in site.output and KEY not in site.output


def test_a_request_is_one_trace_with_its_phases_and_without_its_text(
    site: Site, collector: Collector
) -> None:
    deadline = time.monotonic() + 30
    while not (root := [span for span in collector.spans() if is_first_request(span)]):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    children = [span.name for span in collector.spans() if span.parent_span_id == root[0].span_id]
    assert {"load", "prefill", "decode"} <= set(children)
    assert not [body for _, body, _ in collector.got if b"one two three" in body]


def is_first_request(span: Span) -> bool:
    ids = [one.value.string_value for one in span.attributes if one.key == "request_id"]
    return span.name == "chat tiny" and ids == ["trace-1"]


@nightly  # in the gate tests/test_docs.py compares the names
@needs_prometheus
def test_prometheus_has_data_for_every_panel_and_can_evaluate_every_alert(site: Site, tmp_path: Path) -> None:
    with prometheus(tmp_path, site.url.removeprefix("http://"), KEY) as server:
        left, deadline = board_queries(), time.monotonic() + 60
        assert len(left) > 30
        while left and time.monotonic() < deadline:
            time.sleep(0.5)
            left = {name: query for name, query in left.items() if not server.query(query)}
        assert left == {}
        assert len(alerts := server.alerts()) > 5
        for expression in alerts:
            server.query(expression)
        check_values(server)


def check_values(server: Prometheus) -> None:
    """The run is in the numbers, and nothing that a client made up is a label."""
    (up,) = server.query('up{job="mlxsite"}')
    assert up["value"][1] == "1"
    deaths = server.query('mlxsite_worker_deaths_total{reason="killed"}')
    assert [one["value"][1] for one in deaths] == ["1"]
    models = {one["metric"]["model"] for one in server.query("mlxsite_requests_total")}
    assert models == {"tiny", "unknown"}
    statuses = {one["metric"]["status"] for one in server.query("mlxsite_requests_total")}
    assert {"200", "404", "499"} <= statuses
    assert not server.query(f'{{__name__=~"mlxsite.*", model=~".*{MARK}.*"}}')


@nightly
@needs_prometheus
def test_promtool_finds_no_fault_in_names_and_rules(site: Site) -> None:
    with web(site) as client:
        page = client.get("/metrics").text
    lint = subprocess.run(["promtool", "check", "metrics"], input=page, capture_output=True, text=True)
    assert (lint.returncode, lint.stderr) == (0, "")
    rules = ["promtool", "check", "rules", str(DEPLOY / "alerts.yml")]
    assert subprocess.run(rules, capture_output=True).returncode == 0
