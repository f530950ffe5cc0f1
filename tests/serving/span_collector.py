"""A collector of OpenTelemetry: an HTTP server that keeps the spans it gets."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span


class Collector(HTTPServer):
    """`got` has the path, the body and the header X-Tenant of each request."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Keeping)
        self.got: list[tuple[str, bytes, str]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def spans(self) -> list[Span]:
        """All spans so far."""
        exports = [ExportTraceServiceRequest.FromString(body) for _, body, _ in tuple(self.got)]
        scopes = [scope for one in exports for part in one.resource_spans for scope in part.scope_spans]
        return [span for scope in scopes for span in scope.spans]


class Keeping(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:  # noqa: N802 - the library's name
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append((self.path, body, self.headers.get("X-Tenant", "")))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        return


def running_collector() -> Iterator[Collector]:
    """A collector that runs until the generator goes on."""
    with Collector() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()
