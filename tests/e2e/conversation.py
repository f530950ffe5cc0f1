"""Talking to a site over bare sockets: what no HTTP client would send, and streams that are left open."""

import http.client
import json
import socket
from dataclasses import dataclass
from typing import Any, Self

HELLO = [{"role": "user", "content": "Hello"}]
CHAT = "/v1/chat/completions"


@dataclass(frozen=True)
class Answer:
    """A status, and the JSON that came with it."""

    status: int
    body: Any

    @property
    def error(self) -> dict[str, Any]:
        """The error object, proven to be OpenAI's shape and to hold no path and no traceback."""
        error: dict[str, Any] = self.body["error"]
        assert set(error) == {"message", "type", "param", "code"}, self
        assert error["message"] and error["code"], self
        answer = json.dumps(error)
        assert not any(leak in answer for leak in ("Traceback", "/tmp", "site-packages", ".py", "0x")), answer
        return error

    @property
    def text(self) -> str:
        choice = self.body["choices"][0]
        return str(choice["message"]["content"] if "message" in choice else choice["text"])


def chat_body(**fields: Any) -> dict[str, Any]:
    return {"model": "tiny", "messages": HELLO, "temperature": 0, "max_tokens": 8} | fields


def encoded(body: Any) -> bytes:
    return body if isinstance(body, bytes) else json.dumps(body).encode()


def opened(url: str, body: Any, path: str = CHAT, timeout_s: float | None = 60) -> socket.socket:
    """A connection on which the request has been sent."""
    host, port = url.removeprefix("http://").split(":")
    data = encoded(body)
    head = f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
    client = socket.create_connection((host, int(port)), timeout=timeout_s)
    client.sendall(head.encode() + b"Content-Length: %d\r\n\r\n" % len(data) + data)
    return client


def ask(url: str, body: Any, path: str = CHAT, timeout_s: float | None = 60) -> Answer:
    """Send a request as it is and take the whole answer; a dropped connection raises."""
    with opened(url, body, path, timeout_s) as client:
        response = http.client.HTTPResponse(client)
        response.begin()
        return Answer(response.status, json.loads(response.read()))


class Canary:
    """A stream that has begun to sing; `song` reads it to its end."""

    def __init__(self, url: str, **fields: Any) -> None:
        self._client = opened(url, chat_body(stream=True, **fields))
        self._response = http.client.HTTPResponse(self._client)
        self._response.begin()
        self._heard: list[str] = []
        while not self._heard:
            self._listen()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._client.close()

    def song(self) -> str:
        """All of its text; whatever is no proper end of a stream raises."""
        while self._listen():
            continue
        return "".join(self._heard)

    def _listen(self) -> bool:
        """Take one line; False once it says [DONE]."""
        line = self._response.readline()
        assert line, "the stream ended early"
        if not line.startswith(b"data: "):
            return True
        if line == b"data: [DONE]\n":
            return False
        choice = json.loads(line[6:])["choices"][0]
        self._heard += [choice["delta"]["content"]] if choice["delta"].get("content") else []
        return True
