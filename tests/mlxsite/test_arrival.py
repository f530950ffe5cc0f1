"""Requests that arrive slowly, on a real socket whose site waits two seconds."""

import json
import socket
import time

import pytest

from tests.api.openai.site import Site
from tests.mlxsite.test_connection import HEAD, POST, connected, read_all


@pytest.fixture
def site(served_site: Site) -> Site:
    return served_site


def trickled(client: socket.socket, data: bytes, pause_s: float) -> bytes:
    """What the site answers to data that comes byte by byte; it answers before all has come."""
    client.settimeout(pause_s)
    for number in range(len(data)):
        client.sendall(data[number : number + 1])
        try:
            first = client.recv(65536)
        except TimeoutError:
            continue
        client.settimeout(20)
        return first + read_all(client)
    raise AssertionError("all of it was taken")


@pytest.mark.parametrize(
    ("at_once", "slowly"),
    [
        (b"", b"GET /health HTTP/1.1\r\n" + b"X-Slow: y\r\n" * 9),
        (HEAD, b"X: " + b"y" * 99),
        (POST + b"Content-Length: 90\r\n\r\n", b"x" * 89),
        (POST + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n" * 20),
        (HEAD + b"\r\n" + HEAD, b"X: " + b"y" * 99),  # the second request of a connection
    ],
    ids=["head", "header", "body", "chunks", "second"],
)
def test_what_trickles_in_is_refused_and_closed(site: Site, at_once: bytes, slowly: bytes) -> None:
    with connected(site) as client:
        client.sendall(at_once)
        if at_once.startswith(HEAD + b"\r\n"):
            assert client.recv(65536).startswith(b"HTTP/1.1 200")
        began = time.monotonic()
        answer = trickled(client, slowly, 0.1)
        assert 1.5 < time.monotonic() - began < 8
        assert answer.startswith(b"HTTP/1.1 408 Request Timeout\r\n") and b'"request_too_slow"' in answer


def test_a_body_that_comes_at_a_modems_pace_is_taken(site: Site) -> None:
    body = json.dumps({"model": "tiny", "prompt": "x" * 6000}).encode()
    with connected(site) as client:
        head = b"POST /v1/tokenize HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        client.sendall(head + b"Content-Length: %d\r\nConnection: close\r\n\r\n" % len(body))
        for start in range(0, len(body), 500):
            time.sleep(0.3)  # 4 seconds in all, and a limit of 2 for what stands still
            client.sendall(body[start : start + 500])
        assert read_all(client).startswith(b"HTTP/1.1 200")


def test_a_connection_may_rest_between_its_requests(site: Site) -> None:
    with connected(site) as client:
        for _ in range(2):
            client.sendall(HEAD + b"\r\n")
            assert client.recv(65536).startswith(b"HTTP/1.1 200")
            time.sleep(2.5)


def test_an_upload_that_is_too_large_is_told_so_alone(site: Site) -> None:
    with connected(site) as client:
        client.sendall(POST + b"Content-Length: 9000000\r\n\r\n")
        time.sleep(2.5)
        answer = read_all(client)
        assert answer.startswith(b"HTTP/1.1 413") and answer.count(b"HTTP/1.1") == 1
