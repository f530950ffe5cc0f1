"""Requests that broke other servers of this kind, against a real site: each is answered, nobody else notices.

Each of them has ended mlx_lm.server's generation thread, its process or the connection, or was taken for
good when it should not have been; docs/api.md says what this server answers.
"""

import contextlib
import os
import signal
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from tests.api.openai.site import eventually
from tests.e2e.conversation import CHAT, Answer, Canary, ask, chat_body, encoded, opened
from tests.e2e.site import Site, holder
from tests.nightly import IS_NIGHTLY

pytestmark = pytest.mark.mlx
COMPLETIONS = "/v1/completions"
SONG = {"max_tokens": 50, "messages": [{"role": "user", "content": "Sing"}]}
LONG_SONG = SONG | {"max_tokens": 100}
ALMOST_ALL = [{"role": "user", "content": "x" * 1900}]  # of the context: what is left of it is soon told


@dataclass(frozen=True)
class Case:
    body: Any
    path: str = CHAT
    is_legal: bool = False  # where it is supported it may be served; otherwise it is refused


def chat(is_legal: bool = False, **fields: Any) -> Case:
    return Case(chat_body(**fields), is_legal=is_legal)


def completion(is_legal: bool = False, **fields: Any) -> Case:
    body = {"model": "tiny", "prompt": "Once", "max_tokens": 4} | fields
    return Case(body, COMPLETIONS, is_legal)


def raw(field: str) -> Case:
    """A body whose one odd field is written as it is, because JSON libraries would not."""
    return Case(encoded(chat_body())[:-1] + b", " + field.encode(errors="surrogatepass") + b"}")


CASES: dict[str, Case] = {
    "logit_bias beyond the vocabulary": chat(logit_bias={"999999999": 5}),
    "logit_bias beyond int64": chat(logit_bias={str(2**70): 5}),
    "logit_bias of a negative token": chat(logit_bias={"-999999": 5}),
    "logit_bias of null": chat(logit_bias={"5": None}),
    "logit_bias of NaN": raw('"logit_bias": {"5": NaN}'),
    "logit_bias of infinity": raw('"logit_bias": {"5": 1e999}'),
    "logit_bias of a text": chat(True, logit_bias={"a": 1}),
    "logit_bias of all that there is": chat(True, logit_bias=[[token, False] for token in range(1000)]),
    "logit_bias as a list": chat(logit_bias=[1, 2]),
    "logit_bias of too much": chat(logit_bias={"5": 1e6}),
    "top_k beyond the vocabulary": chat(True, top_k=10**6, temperature=1),
    "top_k beyond int64": chat(top_k=2**70, temperature=1),
    "top_k below nothing": chat(top_k=-5, temperature=1),
    "top_p of NaN": raw('"top_p": NaN'),
    "top_p below nothing": chat(top_p=-1),
    "min_p of more than all": chat(min_p=7, temperature=1),
    "stop as a number": chat(stop=5),
    "stop as numbers": chat(stop=[1]),
    "stop of half a surrogate": raw('"stop": ["\\udfff"]'),
    "stop of nothing": chat(True, stop=""),
    "stop of many": chat(True, stop=[str(n) for n in range(50)]),
    "stop of too many": chat(stop=[str(n) for n in range(65)]),
    "an empty prompt": completion(prompt=""),
    "several prompts": completion(True, prompt=["a", "b"]),
    "a prompt of tokens": completion(True, prompt=[1, 2, 3]),
    "a prompt of tokens that are none": completion(prompt=[999999999]),
    "no prompts at all": completion(prompt=[]),
    "no messages": chat(messages=[]),
    "messages of null": chat(messages=None),
    "a message of null": chat(messages=[None]),
    "repetition_context_size beyond int64": chat(repetition_context_size=2**70),
    "repetition_penalty of nothing": chat(repetition_penalty=0),
    "presence_penalty of infinity": raw('"presence_penalty": 1e999'),
    "frequency_penalty of text": chat(frequency_penalty="much"),
    "a negative seed": chat(True, seed=-1, temperature=1),
    "a seed beyond int64": chat(seed=2**70, temperature=1),
    "a fractional seed": chat(seed=1.5, temperature=1),
    "temperature of NaN": raw('"temperature": NaN'),
    "temperature of infinity": raw('"temperature": Infinity'),
    "temperature beyond a double": raw('"temperature": 1e999'),
    "temperature as text": chat(temperature="1"),
    "max_tokens beyond int64": chat(max_tokens=2**70),
    "max_tokens without a limit": chat(True, max_tokens=-1, messages=ALMOST_ALL),
    "max_tokens below nothing": chat(max_tokens=-2),
    "max_tokens as a truth": chat(max_tokens=True),
    "an integer of 10,000 digits": raw('"max_tokens": ' + "9" * 10_000),
    "100,000 open brackets": Case(b"[" * 100_000),
    "100,000 nested lists": Case(b'{"model": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
    "a body that is no UTF-8": Case(b'{"model": "tiny", "messages": "\xff\xfe"}'),
    "a body of null": Case(b"null"),
    "no body": Case(b""),
    "a field twice": raw('"model": "other"'),
    "a template of one's own": chat(chat_template_kwargs={"chat_template": "{{ 7 * 7 }}"}),
    "a template at the top": chat(chat_template="{{ 7 * 7 }}"),
    "a path for a model": chat(model="/etc"),
    "a path upwards for a model": chat(model="../tiny"),
    "a model of the hub": chat(model="mlx-community/Qwen3-8B-4bit"),
    "a model of null": chat(model=None),
    "another adapter": chat(adapters="/etc"),
    "a draft model": chat(True, draft_model="/etc"),
    "XTC beyond all": chat(xtc_probability=2),
    "XTC of every token": chat(True, xtc_probability=1, xtc_threshold=0, temperature=1),
    "DRY of much": chat(True, dry_multiplier=100, dry_base=8, dry_allowed_length=1),
    "DRY beyond int64": chat(dry_allowed_length=2**70),
    "a window of nothing": chat(True, repetition_penalty=1.3, repetition_window=0),
    "allowed tokens beyond the vocabulary": chat(allowed_token_ids=[10**6]),
    "one allowed token": chat(True, allowed_token_ids=[5]),
    "stop tokens beyond the vocabulary": chat(stop_token_ids=[10**6]),
    "a longer answer than there may be": chat(True, min_tokens=10**6),
    "a banned letter": chat(True, bad_words=["a", "\u00e9"]),
    "a regex that explodes": chat(True, guided_regex="(a|a)*(a|a)*(a|a)*b"),
    "a regex that is none": chat(guided_regex="("),
    "a grammar without an end": chat(True, grammar='root ::= "a" root'),
    "a grammar that is none": chat(grammar="]["),
    "a choice of much": chat(True, guided_choice=["x" * 5000]),
    "a budget of nothing": chat(True, thinking_budget=0),
    "an answer that goes on": chat(True, messages=[{"role": "assistant", "content": "Once"}]),
    "a prompt beyond the context": completion(prompt="x" * 5000),
    "a prompt of half a megabyte": completion(prompt="x" * 500_000),
    "an answer beyond the context": chat(True, max_tokens=10**6, messages=ALMOST_ALL),
}


@pytest.fixture(scope="module")
def song(tiny_site: Site) -> str:
    """What the canary sings when it is alone."""
    with Canary(tiny_site.url, **SONG) as canary:
        return canary.song()


@pytest.fixture(scope="module")
def long_song(tiny_site: Site) -> str:
    with Canary(tiny_site.url, **LONG_SONG) as canary:
        return canary.song()


@pytest.fixture(scope="module")
def greeting(tiny_site: Site) -> str:
    return ask(tiny_site.url, chat_body()).text


def check_well(site: Site, greeting: str) -> None:
    assert httpx.get(f"{site.url}/health").status_code == 200
    assert ask(site.url, chat_body()).text == greeting


def in_turns(cases: Iterable[str]) -> list[list[str]]:
    """The names of the cases that one canary sings through: eight in the gate, one in the nightly run."""
    names, size = list(cases), 1 if IS_NIGHTLY else 8
    return [names[first : first + size] for first in range(0, len(names), size)]


def check_answer(answer: Answer, *, is_legal: bool) -> None:
    if is_legal and answer.status == 200:
        assert isinstance(answer.text, str)
        return
    assert 400 <= answer.status < 500, answer
    assert answer.error["type"] == "invalid_request_error"


@pytest.mark.parametrize("names", in_turns(CASES), ids=lambda names: names[0])
def test_engine_never_dies(tiny_site: Site, long_song: str, greeting: str, names: list[str]) -> None:
    with Canary(tiny_site.url, **LONG_SONG) as canary:
        for name in names:
            print(name)  # the last one is shown with what is wrong
            case = CASES[name]
            check_answer(ask(tiny_site.url, case.body, case.path), is_legal=case.is_legal)
        check_well(tiny_site, greeting)
        assert canary.song() == long_song


@pytest.mark.parametrize("is_stream", [True, False])
def test_a_client_that_leaves_takes_nobody_along(
    tiny_site: Site, long_song: str, greeting: str, is_stream: bool
) -> None:
    with Canary(tiny_site.url, **LONG_SONG) as canary:
        opened(tiny_site.url, chat_body(stream=is_stream, max_tokens=1500)).close()
        assert canary.song() == long_song
    assert eventually(lambda: streams(tiny_site) == 0, within_s=1.0)  # long before its 1500 tokens are made
    check_well(tiny_site, greeting)


def test_an_image_is_refused_and_never_fetched(tiny_site: Site, song: str, greeting: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as trap, Canary(tiny_site.url, **SONG) as canary:
        address = f"http://127.0.0.1:{trap.getsockname()[1]}/picture.png"
        part = {"type": "image_url", "image_url": {"url": address}}
        answer = ask(tiny_site.url, chat_body(messages=[{"role": "user", "content": [part]}]))
        check_answer(answer, is_legal=False)
        assert canary.song() == song
        trap.settimeout(0)
        with pytest.raises(BlockingIOError):
            trap.accept()
    check_well(tiny_site, greeting)


def test_a_connection_that_is_reset_takes_nobody_along(tiny_site: Site, song: str, greeting: str) -> None:
    with Canary(tiny_site.url, **SONG) as canary:
        for _ in range(5):
            client = opened(tiny_site.url, chat_body(stream=True, max_tokens=1500))
            with contextlib.closing(client):
                client.recv(200)
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        assert canary.song() == song
    check_well(tiny_site, greeting)


def test_a_killed_worker_ends_its_stream_with_one_error_and_the_next_request_works(
    tiny_site: Site, greeting: str
) -> None:
    body = chat_body(max_tokens=1500, stream=True)
    lines = []
    with httpx.stream("POST", f"{tiny_site.url}{CHAT}", json=body, timeout=60) as response:
        for line in response.iter_lines():
            lines.append(line)
            if len(lines) == 8:
                os.kill(holder(tiny_site).pid, signal.SIGKILL)
    errors = [line for line in lines if '"error"' in line]
    assert len(errors) == 1 and '"worker_died"' in errors[0]
    assert "data: [DONE]" not in lines
    check_well(tiny_site, greeting)


def streams(site: Site) -> int:
    """How many requests the pool is serving, by its own account."""
    return sum(worker["streams"] for worker in httpx.get(f"{site.url}/health").json()["workers"])
