"""A Hugging Face hub on loopback with one repository, correct unless set otherwise."""

import hashlib
import json
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self

REPO = "org/tiny"
SHA = "c" * 40
LISTING = "listing"  # stands for the list of files where others stand for theirs
SEARCH = "search"  # stands for the answer to a search
_HELD_AT_MOST_S = 60
_LAST_BYTE_S = 0.15


def git_name(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below, by its path there."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


@dataclass(frozen=True)
class Refusal:
    """What a request gets instead of its file."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that leave in the middle are what these tests are about."""


@dataclass
class FakeHub:
    """Serves `files`, or what it `lies` about them.

    Of a body it `breaks_after` so many bytes, once, or `holds_after` them until `go_on` is set. Each of its
    `refusals` is given once, in order. Weights are `elsewhere` when that has an address.
    """

    files: dict[str, bytes]
    lies: dict[str, bytes] = field(default_factory=dict)
    missing: set[str] = field(default_factory=set)
    breaks_after: dict[str, int] = field(default_factory=dict)
    holds_after: dict[str, int] = field(default_factory=dict)
    go_on: threading.Event = field(default_factory=threading.Event)
    refusals: dict[str, list[Refusal]] = field(default_factory=dict)
    ignores_ranges: bool = False
    elsewhere: str = ""
    extra: list[dict[str, Any]] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)  # more of the repository's description
    results: Any = field(default_factory=list)  # of every search; other repositories are not there
    searches: list[str] = field(default_factory=list)  # their queries
    got: list[tuple[str, str]] = field(default_factory=list)  # file, and the range of it
    heard: list[tuple[str, str]] = field(default_factory=list)  # file or listing, and the Authorization

    @classmethod
    def of(cls, folder: Path) -> "FakeHub":
        return cls(contents(folder))

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def asked(self) -> list[str]:
        return [name for name, _ in self.got]

    def ranges(self, name: str) -> list[str]:
        return [part for file, part in self.got if file == name]

    def __enter__(self) -> Self:
        handler = type("Handler", (_Handler,), {"served": self})
        self._server = _Server(("127.0.0.1", 0), handler)
        threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
        ).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.go_on.set()
        self._server.shutdown()
        self._server.server_close()

    def listing(self) -> dict[str, Any]:
        siblings = [*(self._sibling(name) for name in self.files), *self.extra]
        return {"id": REPO, "modelId": REPO, "sha": SHA, "siblings": siblings} | self.facts

    def _sibling(self, name: str) -> dict[str, Any]:
        content = self.files[name]
        found: dict[str, Any] = {"rfilename": name, "size": len(content), "blobId": git_name(content)}
        if name.endswith(".safetensors"):
            digest = hashlib.sha256(content).hexdigest()
            found["lfs"] = {"sha256": digest, "size": len(content), "pointerSize": 130}
        return found


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    served: FakeHub

    def log_message(self, format: str, *arguments: Any) -> None:
        """Quiet."""

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        named = {f"/api/models/{REPO}": LISTING, "/api/models": SEARCH}
        name = named.get(path) or path.removeprefix(f"/{REPO}/resolve/{SHA}/")
        self.served.heard.append((name, self.headers.get("Authorization", "")))
        if refusals := self.served.refusals.get(name):
            refusal = refusals.pop(0)
            self._send(b"", refusal.headers, refusal.status)
        elif LISTING in self.served.holds_after:
            self.served.go_on.wait(_HELD_AT_MOST_S)
        elif name == SEARCH:
            self.served.searches.append(query)
            self._send(json.dumps(self.served.results).encode(), {"Content-Type": "application/json"})
        elif name == LISTING:
            assert self.path.endswith("?blobs=true")
            self._send(json.dumps(self.served.listing()).encode(), {"Content-Type": "application/json"})
        elif path.startswith("/api/"):
            self._send(b"", {"X-Error-Code": "RepoNotFound"}, 401)  # as the hub says it to strangers
        elif name not in self.served.files or name in self.served.missing:
            self._send(b"", {"X-Error-Code": "EntryNotFound"}, 404)
        elif self.served.elsewhere and name.endswith(".safetensors"):
            self._send(b"", {"Location": f"{self.served.elsewhere}{self.path}"}, 302)
        else:
            self._send_file(name)

    def _send_file(self, name: str) -> None:
        content = self.served.lies.get(name, self.served.files[name])
        wanted = self.headers.get("Range", "")
        self.served.got.append((name, wanted))
        begin, end, headers = 0, "", {"Accept-Ranges": "bytes"}
        is_part = bool(wanted) and not self.served.ignores_ranges
        if is_part:
            first, _, end = wanted.removeprefix("bytes=").partition("-")
            begin = int(first)
        body = content[begin : int(end) + 1] if end else content[begin:]
        if is_part:
            headers["Content-Range"] = f"bytes {begin}-{begin + len(body) - 1}/{len(content)}"
        self._head(len(body), headers, 206 if is_part else 200)
        self._send_body(name, body)

    def _send_body(self, name: str, body: bytes) -> None:
        broken = self.served.breaks_after.pop(name, None)
        if broken is not None:
            self.wfile.write(body[:broken])
            self.close_connection = True
            return
        held = self.served.holds_after.get(name)
        if held is None:
            self.wfile.write(body)
            return
        self.wfile.write(body[: max(0, held - 1)])
        time.sleep(_LAST_BYTE_S)  # so that what came before the end arrives with the last byte
        self.wfile.write(body[max(0, held - 1) : held])
        if self.served.go_on.wait(_HELD_AT_MOST_S):
            self.wfile.write(body[held:])

    def _send(self, body: bytes, headers: dict[str, str], status: int = 200) -> None:
        self._head(len(body), headers, status)
        self.wfile.write(body)

    def _head(self, length: int, headers: dict[str, str], status: int) -> None:
        self.send_response(status)
        for key, value in ({"Content-Length": str(length)} | headers).items():
            self.send_header(key, value)
        self.end_headers()
