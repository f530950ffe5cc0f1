"""Connections on a real socket: requests that cannot be read, and clients that send no more."""

import http.client
import json
import os
import socket
import time

import httpx
import psutil
import pytest

from tests.api.openai.asking import chat_body
from tests.api.openai.site import Site, eventually, started
from tests.nightly import nightly

HEAD = b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n"
POST = b"POST /v1/models HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"


@pytest.fixture(scope="module")
def site(served_site: Site) -> Site:
    for model in ("tiny", "late", "silent"):
        httpx.post(f"{served_site.address}/v1/tokenize", json={"model": model, "prompt": "load it"})
    return served_site


def connected(site: Site) -> socket.socket:
    return socket.create_connection(("127.0.0.1", site.port), timeout=20)


def read_all(client: socket.socket) -> bytes:
    answer = b""
    while part := client.recv(65536):
        answer += part
    return answer


def asked(model: str, version: bytes = b"HTTP/1.1", **fields: object) -> bytes:
    body = json.dumps(chat_body(model=model, **fields)).encode()
    head = b"POST /v1/chat/completions " + version + b"\r\nHost: 127.0.0.1\r\n"
    return head + b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


# What Twisted refuses itself.


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"GET\r\n\r\n", 400),
        (b"GET / HTTP/9.9\r\n\r\n", 400),
        (b"GET  /health  HTTP/1.1\r\n\r\n", 400),
        (b"G\xc3\x89T / HTTP/1.1\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n", 400),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
        (HEAD + b"no colon\r\n\r\n", 400),
        (HEAD + b"no colon\r\nX: y\r\n\r\n", 400),
        (HEAD + b"Bad Name: x\r\n\r\n", 400),
        (HEAD + b"X: a\x00b\r\n\r\n", 400),
        (POST + b"Content-Length: -1\r\n\r\n{}", 400),
        (POST + b"Content-Length: 1e3\r\n\r\n{}", 400),
        (POST + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}", 400),
        (POST + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}", 400),
        (POST + b"Transfer-Encoding: chunked\r\nContent-Length: 2\r\nX: y\r\n\r\n0\r\n\r\n", 400),
        (POST + b"Transfer-Encoding: gzip\r\n\r\n", 400),
        (POST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
        (HEAD + b"".join(b"X-%d: y\r\n" % number for number in range(600)) + b"\r\n", 431),
        (HEAD + b"X: " + b"y" * 17_000 + b"\r\n\r\n", 431),
        (HEAD + b"".join(b"X-%d: %b\r\n" % (n, b"y" * 1000) for n in range(20)) + b"\r\n", 431),
        (b"GET /" + b"x" * 20_000 + b" HTTP/1.1\r\n\r\n", 431),
        (HEAD + b"X: " + b"y" * 1_000_000 + b"\r\n\r\n", 431),
    ],
    ids=lambda value: repr(value[:60]) if isinstance(value, bytes) else str(value),
)
def test_what_cannot_be_read_is_answered_in_json(site: Site, raw: bytes, status: int) -> None:
    with connected(site) as client:
        client.sendall(raw)
        answer = http.client.HTTPResponse(client)
        answer.begin()
        body = answer.read()
        assert read_all(client) == b""
    assert (answer.status, answer.headers["Content-Type"]) == (status, "application/json")
    assert answer.headers["X-Request-Id"].startswith("req_")
    assert json.loads(body)["error"]["type"] == "invalid_request_error"


def test_nothing_that_comes_with_it_is_taken_for_a_request(site: Site) -> None:
    with connected(site) as client:
        client.sendall(HEAD + b"no colon\r\nX: y\r\n\r\n" + HEAD + b"\r\n")
        time.sleep(0.1)
        client.sendall(HEAD + b"\r\n" + b"\r\n" * 100)
        answer = read_all(client)
    assert answer.count(b"HTTP/1.1 ") == 1 and b"healthy" not in answer


def test_a_client_that_never_stops_sending_what_cannot_be_read_is_cut(site: Site) -> None:
    with connected(site) as client, pytest.raises(ConnectionError):
        began = time.monotonic()
        while time.monotonic() - began < 20:
            client.sendall(HEAD + b"no colon\r\n" + b"x" * 65536)


# Clients that send no more.


@pytest.mark.parametrize("model", ["tiny", "late"])
@pytest.mark.parametrize("version", [b"HTTP/1.1", b"HTTP/1.0"])
def test_a_half_closed_client_gets_the_whole_stream(site: Site, model: str, version: bytes) -> None:
    with connected(site) as client:
        client.sendall(asked(model, version, stream=True))
        client.shutdown(socket.SHUT_WR)
        answer = read_all(client)
    assert b" 200 OK\r\n" in answer and b"[DONE]" in answer


@pytest.mark.parametrize("model", ["tiny", "late"])
@pytest.mark.parametrize("version", [b"HTTP/1.1", b"HTTP/1.0"])
def test_a_half_closed_client_gets_the_whole_answer(site: Site, model: str, version: bytes) -> None:
    with connected(site) as client:
        client.sendall(asked(model, version))
        client.shutdown(socket.SHUT_WR)
        answer = http.client.HTTPResponse(client)
        answer.begin()
        received = json.loads(answer.read())
        assert read_all(client) == b""
    assert received["choices"][0]["message"]["content"] == "Hello there"


def test_each_request_of_a_half_closed_client_is_answered(site: Site) -> None:
    with connected(site) as client:
        client.sendall(HEAD + b"\r\n" + asked("late", stream=True) + HEAD + b"\r\n" + asked("tiny"))
        client.shutdown(socket.SHUT_WR)
        answer = read_all(client)
    assert answer.count(b"HTTP/1.1 200 OK\r\n") == 4 and answer.count(b"[DONE]") == 1


def test_half_a_request_of_a_half_closed_client_is_no_request(site: Site) -> None:
    for half in (b"", b"GET /hea", HEAD, POST + b"Content-Length: 100\r\n\r\n{", HEAD + b"\r\nGET /"):
        with connected(site) as client:
            client.sendall(half)
            client.shutdown(socket.SHUT_WR)
            assert read_all(client).count(b"HTTP/1.1") == half.count(b"\r\n\r\nGET")


def test_a_broken_request_of_a_half_closed_client_is_answered(site: Site) -> None:
    with connected(site) as client:
        client.sendall(HEAD + b"no colon\r\n\r\n")
        client.shutdown(socket.SHUT_WR)
        assert b"invalid_request_error" in read_all(client)


@pytest.mark.parametrize("is_stream", [False, True])
@pytest.mark.parametrize("pause_s", [0.0, 0.4, 1.5])
def test_a_client_that_closes_after_half_closing_ends_the_answer(
    site: Site, is_stream: bool, pause_s: float
) -> None:
    with connected(site) as client:
        client.sendall(asked("silent", stream=is_stream))
        assert eventually(lambda: site.streams() == 1)
        client.shutdown(socket.SHUT_WR)
        time.sleep(pause_s)
        assert site.streams() == 1  # it may still read
    assert eventually(lambda: site.streams() == 0, within_s=12)


@pytest.mark.parametrize("version", [b"HTTP/1.1", b"HTTP/1.0"])  # the latter is what proxies speak
@pytest.mark.parametrize("is_stream", [False, True])
def test_a_client_that_closes_ends_the_answer(site: Site, is_stream: bool, version: bytes) -> None:
    with connected(site) as client:
        client.sendall(asked("silent", version, stream=is_stream))
        assert eventually(lambda: site.streams() == 1)
    assert eventually(lambda: site.streams() == 0)


def test_no_connection_is_left_behind(site: Site) -> None:
    process = psutil.Process(site.process.pid)
    before = process.num_fds()
    for raw in (asked("tiny", stream=True), HEAD + b"no colon\r\n\r\n", b"", HEAD + b"\r\n") * 10:
        with connected(site) as client:
            client.sendall(raw)
            client.shutdown(socket.SHUT_WR)
            read_all(client)
    assert eventually(lambda: process.num_fds() <= before + 1)


# A client with many connections.


def test_one_address_has_a_part_of_the_connections() -> None:
    with started(os.environ | {"CONNECTIONS_OF_ONE": "64"}) as site:
        others = [connected(site) for _ in range(64)]
        with connected(site) as client:
            answer = read_all(client)
            assert answer.startswith(b"HTTP/1.1 429 Too Many") and b'"too_many_connections"' in answer
        for one in others:
            one.sendall(HEAD + b"Connection: close\r\n\r\n")
            assert read_all(one).startswith(b"HTTP/1.1 200")
            one.close()
        assert httpx.get(f"{site.address}/health").status_code == 200


@nightly
def test_a_trusted_proxy_has_as_many_as_it_likes() -> None:
    with started(
        os.environ | {"CONNECTIONS_OF_ONE": "64", "MLX_SERVER_TRUSTED_PROXIES": "127.0.0.1"}
    ) as site:
        others = [connected(site) for _ in range(70)]
        assert httpx.get(f"{site.address}/health").status_code == 200
        for one in others:
            one.close()
