"""Each mend of Daphne, proven on a socket."""

import asyncio
import http.client
import json
import socket
import time
from contextlib import ExitStack

import httpx
import psutil
import pytest

from mlxsite.server import StreamServer
from mlxsite.stream_request import StreamRequest
from tests.api.openai.asking import chat_body
from tests.api.openai.site import Site, eventually
from tests.mlxsite.test_websocket import opened

MB = 2**20


@pytest.fixture(scope="module")
def site(served_site: Site) -> Site:
    # Load what is loaded on first use.
    httpx.post(f"{served_site.address}/v1/chat/completions", json=chat_body())
    return served_site


def upload(site: Site, head: bytes, piece: bytes, total_bytes: int) -> tuple[int, bytes]:
    """Send pieces until all are sent or the site has had enough: (bytes sent, what it answered)."""
    with socket.create_connection(("127.0.0.1", site.port), timeout=10) as client:
        client.sendall(b"POST /v1/nowhere HTTP/1.1\r\nHost: 127.0.0.1\r\n" + head + b"\r\n")
        sent = 0
        try:
            while sent < total_bytes:
                client.sendall(piece)
                sent += len(piece)
            return sent, client.recv(65536)
        except ConnectionError:
            return sent, b""


def answer_at_once(site: Site, head: bytes, body: bytes, path: bytes = b"/v1/nowhere") -> bytes:
    with socket.create_connection(("127.0.0.1", site.port), timeout=10) as client:
        client.sendall(b"POST " + path + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n" + head + b"\r\n" + body)
        answer = b""
        while part := client.recv(65536):
            answer += part
        return answer


def bytes_written(site: Site) -> int:
    """What the site has given to files so far: sockets are sent to, which does not count; 0 on a Mac."""
    process = psutil.Process(site.process.pid)
    return int(process.io_counters().write_chars) if hasattr(process, "io_counters") else 0


CHUNK = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"


@pytest.mark.parametrize(
    ("head", "piece"),
    [
        (b"Content-Length: 40000000000\r\n", b"x" * 65536),
        (b"Transfer-Encoding: chunked\r\n", CHUNK),
    ],
    ids=["length", "chunked"],
)
def test_a_huge_upload_is_cut_and_kept_nowhere(site: Site, head: bytes, piece: bytes) -> None:
    before, written = site.resident_mb, bytes_written(site)
    # It is thrown away for a moment before the connection is cut, which on loopback is gigabytes.
    sent, _ = upload(site, head, piece, 30_000 * MB)
    assert sent < 30_000 * MB
    assert site.resident_mb - before < 30
    assert bytes_written(site) - written < 2 * MB  # at most what came before the limit


@pytest.mark.parametrize(
    ("head", "body"),
    [(b"Content-Length: 4000000000\r\n", b""), (b"Transfer-Encoding: chunked\r\n", CHUNK * 20)],
    ids=["length", "chunked"],
)
def test_the_upload_is_refused_in_json_and_the_connection_closed(
    site: Site, head: bytes, body: bytes
) -> None:
    status, _, rest = answer_at_once(site, b"X-Request-Id: trace-1\r\n" + head, body).partition(b"\r\n")
    assert b" 413 " in status and b"\r\nX-Request-Id: trace-1\r\n" in rest
    assert json.loads(rest.partition(b"\r\n\r\n")[2])["error"]["code"] == "body_too_large"


@pytest.mark.parametrize("path", [b"/v1/messages", b"/v1/messages?beta=true"])
def test_an_upload_is_refused_in_the_form_of_the_dialect(site: Site, path: bytes) -> None:
    status, _, rest = answer_at_once(site, b"Content-Length: 4000000000\r\n", b"", path).partition(b"\r\n")
    error = json.loads(rest.partition(b"\r\n\r\n")[2])
    assert b" 413 " in status
    assert (error["type"], error["error"]["type"]) == ("error", "request_too_large")


def test_a_body_of_the_limit_passes(site: Site) -> None:
    assert httpx.post(f"{site.address}/v1/nowhere", content=b"x" * MB).status_code == 404


def test_a_body_that_may_have_pictures_has_a_limit_of_its_own(site: Site) -> None:
    for path, size, status in (
        ("/v1/completions", MB + 1, 413),
        ("/v1/chat/completions", MB + 1, 400),  # it arrives, and is no JSON
        ("/v1/chat/completions", 2 * MB + 1, 413),
    ):
        headers = {"Content-Type": "application/json"}
        answer = httpx.post(f"{site.address}{path}", content=b" " * size, headers=headers)
        assert answer.status_code == status, (path, size)


def test_a_reader_that_never_reads_costs_little_and_is_let_go(site: Site) -> None:
    before = site.resident_mb
    body = json.dumps(chat_body(model="long", stream=True)).encode()
    head = b"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    with socket.create_connection(("127.0.0.1", site.port)) as client:
        client.sendall(head + b"Content-Length: %d\r\n\r\n" % len(body) + body)
        assert eventually(lambda: site.streams() == 1)
        assert eventually(lambda: site.streams() == 0, within_s=10)
    assert site.resident_mb - before < 60


def test_a_reader_with_little_room_gets_every_byte_in_order(site: Site) -> None:
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(("127.0.0.1", site.port))
        client.sendall(b"GET /test/numbers HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
        answer = http.client.HTTPResponse(client)
        answer.begin()
        body = answer.read()
    assert body == b"begun" + b"".join(b"%d\n" % number * 9 for number in range(40_000))


def test_an_error_after_the_first_byte_ends_the_connection(site: Site) -> None:
    received = b""
    with (
        pytest.raises(httpx.RemoteProtocolError),
        httpx.stream("GET", f"{site.address}/test/late-error") as answer,
    ):
        for part in answer.iter_raw():
            received += part
    assert received == b"begun"
    assert httpx.get(f"{site.address}/health").status_code == 200


def test_housekeeping_survives_an_error_after_the_first_byte(site: Site) -> None:
    for _ in range(2):  # upstream's timer died at the first one and noticed no other
        with pytest.raises(httpx.RemoteProtocolError):
            httpx.get(f"{site.address}/test/late-error", timeout=5)


def test_many_clients_at_once_find_room(site: Site) -> None:
    with ExitStack() as clients:
        began = time.monotonic()
        for _ in range(300):
            clients.enter_context(socket.create_connection(("127.0.0.1", site.port), timeout=10))
        assert time.monotonic() - began < 1  # one that is turned away tries again after a second at the least


def test_a_bad_header_is_answered_in_json(site: Site) -> None:
    answer = answer_at_once(site, b"Bad\x01Name: x\r\nContent-Length: 0\r\nConnection: close\r\n", b"")
    assert b"<html" not in answer.lower() and b"\r\nX-Request-Id: req_" in answer


def test_it_says_why_it_cannot_listen() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        server = StreamServer(
            None, host="127.0.0.1", port=taken.getsockname()[1], max_body_bytes=1, on_ready=lambda: None
        )
        server.run()
    assert server.listen_failure == "Address already in use"


def idle_server() -> StreamServer:
    server = StreamServer(None, host="127.0.0.1", port=0, max_body_bytes=1, on_ready=lambda: None)
    server.connections = {}
    return server


def request() -> StreamRequest:
    return StreamRequest.__new__(StreamRequest)


async def test_stopping_ends_every_application_even_beside_an_unfinished_upload() -> None:
    server = idle_server()
    answering = asyncio.create_task(asyncio.Event().wait())
    server.connections = {request(): {"connected": 0.0}, request(): {"application_instance": answering}}
    server.kill_all_applications()
    await asyncio.wait([answering], timeout=2)
    assert answering.cancelled()


async def test_draining_waits_for_the_answers_under_way() -> None:
    server = idle_server()
    is_answered = asyncio.Event()
    answering = asyncio.create_task(is_answered.wait())
    server.connections = {request(): {"application_instance": answering}, request(): {"connected": 0.0}}
    asyncio.get_running_loop().call_later(0.02, is_answered.set)
    await server.drain(5)
    assert answering.done()


async def test_draining_gives_up_in_time() -> None:
    server = idle_server()
    answering = asyncio.create_task(asyncio.Event().wait())
    server.connections = {request(): {"application_instance": answering}}
    started_at = time.monotonic()
    await server.drain(0.05)
    answering.cancel()
    assert 0.04 < time.monotonic() - started_at < 2


def test_requests_and_sockets_give_their_descriptors_back(site: Site) -> None:
    def descriptors() -> int:
        return psutil.Process(site.process.pid).num_fds()

    before = descriptors()
    for _ in range(4):
        with ExitStack() as open_ones, httpx.Client() as client:
            for _ in range(10):
                open_ones.enter_context(opened(site))
                open_ones.enter_context(socket.create_connection(("127.0.0.1", site.port), timeout=10))
            answers = [client.post(f"{site.address}/v1/chat/completions", json=chat_body()) for _ in range(9)]
            assert {one.status_code for one in answers} == {200}
            assert descriptors() > before
    assert eventually(lambda: descriptors() <= before + 2)
