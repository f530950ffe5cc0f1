"""A Hugging Face hub on loopback with one repository, honest unless told otherwise."""

import hashlib
import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self

REPO = "org/tiny"
SHA = "c" * 40


def git_name(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


@dataclass
class FakeHub:
    """Serves `files`, or what it `lies` about them; it `breaks_after` so many bytes of a body, once."""

    files: dict[str, bytes]
    lies: dict[str, bytes] = field(default_factory=dict)
    missing: set[str] = field(default_factory=set)
    breaks_after: dict[str, int] = field(default_factory=dict)
    extra: list[dict[str, Any]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    got: list[tuple[str, str]] = field(default_factory=list)  # file, and the range of it

    @classmethod
    def of(cls, folder: Path) -> "FakeHub":
        return cls({path.name: path.read_bytes() for path in folder.iterdir()})

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        handler = type("Handler", (_Handler,), {"served": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
        ).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def listing(self) -> dict[str, Any]:
        return {
            "id": REPO,
            "modelId": REPO,
            "sha": SHA,
            "siblings": [*(self._sibling(name) for name in self.files), *self.extra],
        }

    def tree(self) -> list[dict[str, Any]]:
        return [
            {
                "type": "file",
                "path": file["rfilename"],
                "size": file["size"],
                "oid": file.get("blobId", "0" * 40),
            }
            | ({"lfs": {"oid": file["lfs"]["sha256"], **file["lfs"]}} if "lfs" in file else {})
            for file in self.listing()["siblings"]
        ]

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

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def _answer(self, *, with_body: bool) -> None:
        path = self.path.partition("?")[0]
        if path.startswith(f"/api/models/{REPO}"):
            found = self.served.tree() if "/tree/" in path else self.served.listing()
            self._send(json.dumps(found).encode(), {"Content-Type": "application/json"})
            return
        name = path.removeprefix(f"/{REPO}/resolve/{SHA}/")
        if name == path or name not in self.served.files or name in self.served.missing:
            self._send(b"", {"X-Error-Code": "EntryNotFound"}, status=404)
            return
        self.served.asked.append(name)
        self._send_file(name, with_body=with_body)

    def _send_file(self, name: str, *, with_body: bool) -> None:
        content = self.served.lies.get(name, self.served.files[name])
        headers = {"ETag": f'"{self._etag(name)}"', "X-Repo-Commit": SHA, "Accept-Ranges": "bytes"}
        begin = 0
        wanted = self.headers.get("Range", "")
        if with_body:
            self.served.got.append((name, wanted))
        if with_body and wanted:
            begin = int(wanted.removeprefix("bytes=").partition("-")[0])
            headers["Content-Range"] = f"bytes {begin}-{len(content) - 1}/{len(content)}"
        body = content[begin:]
        self._head(len(body), headers, 206 if begin else 200)
        if not with_body:
            return
        sent = body[: self.served.breaks_after.pop(name, None)]
        self.wfile.write(sent)
        self.close_connection = len(sent) < len(body)

    def _etag(self, name: str) -> str:
        listed = next(file for file in self.served.listing()["siblings"] if file["rfilename"] == name)
        return str(listed["lfs"]["sha256"] if "lfs" in listed else listed["blobId"])

    def _send(self, body: bytes, headers: dict[str, str], status: int = 200) -> None:
        self._head(len(body), headers, status)
        if self.command == "GET":
            self.wfile.write(body)

    def _head(self, length: int, headers: dict[str, str], status: int) -> None:
        self.send_response(status)
        for key, value in ({"Content-Length": str(length)} | headers).items():
            self.send_header(key, value)
        self.end_headers()
