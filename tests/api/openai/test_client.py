"""The official client against the site on a real socket."""

import json
import socket

import httpx
import openai
import pytest
from openai import OpenAI

from tests.api.openai.asking import HELLO, chat_body
from tests.api.openai.site import Site, eventually


@pytest.fixture
def site(served_site: Site) -> Site:
    return served_site


@pytest.fixture
def client(site: Site) -> OpenAI:
    return OpenAI(base_url=f"{site.address}/v1", api_key="anything", max_retries=0, timeout=20)


def test_it_answers_whole(client: OpenAI) -> None:
    answer = client.chat.completions.create(model="tiny", messages=HELLO, seed=1, temperature=0.5)
    assert answer.choices[0].message.content == "Hello there"
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage and answer.usage.total_tokens == 7


def test_it_answers_in_a_stream(client: OpenAI) -> None:
    stream = client.chat.completions.create(
        model="tiny", messages=HELLO, stream=True, stream_options={"include_usage": True}
    )
    chunks = list(stream)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == "Hello there"
    assert chunks[-1].usage and chunks[-1].usage.completion_tokens == 2


def test_it_completes_a_prompt_both_ways(client: OpenAI) -> None:
    whole = client.completions.create(model="tiny", prompt="Once")
    streamed = client.completions.create(model="tiny", prompt="Once", stream=True)
    assert whole.choices[0].text == "".join(chunk.choices[0].text for chunk in streamed) == "Hello there"


def test_it_lists_and_shows_models(client: OpenAI) -> None:
    assert "tiny" in [model.id for model in client.models.list()]
    assert client.models.retrieve("tiny").owned_by == "local"


def test_a_response_comes_both_ways_and_its_stream_ends(client: OpenAI) -> None:
    whole = client.responses.create(model="tiny", input="Hi", temperature=0.5)
    events = list(client.responses.create(model="tiny", input="Hi", stream=True))
    assert (whole.output_text, whole.temperature, whole.top_p) == ("Hello there", 0.5, 1.0)
    assert events[-1].type == "response.completed" and events[-1].response.output_text == "Hello there"


def test_the_clients_own_stream_of_a_response_ends(client: OpenAI) -> None:
    with client.responses.stream(model="tiny", input="Hi") as stream:
        types = [event.type for event in stream]
        assert types[-1] == "response.completed"
        assert stream.get_final_response().output_text == "Hello there"


def test_a_response_that_breaks_ends_as_failed(client: OpenAI) -> None:
    *_, last = client.responses.create(model="broken", input="Hi", stream=True)
    assert last.type == "response.failed" and last.response.error
    assert last.response.error.message == "The model's process ended."


def test_leaving_a_stream_ends_the_request(client: OpenAI, site: Site) -> None:
    stream = client.chat.completions.create(model="slow", messages=HELLO, stream=True)
    next(stream)
    assert site.streams() == 1
    stream.close()
    assert eventually(lambda: site.streams() == 0)


@pytest.mark.parametrize("is_stream", [True, False])
def test_leaving_before_the_first_token_ends_the_request(client: OpenAI, site: Site, is_stream: bool) -> None:
    hasty = client.with_options(timeout=0.5)
    with pytest.raises(openai.APITimeoutError):
        for _ in hasty.chat.completions.create(model="silent", messages=HELLO, stream=is_stream):
            pass
    assert eventually(lambda: site.streams() == 0)


@pytest.mark.parametrize("is_stream", [True, False])
def test_leaving_a_response_ends_the_request(client: OpenAI, site: Site, is_stream: bool) -> None:
    hasty = client.with_options(timeout=0.5)
    with pytest.raises(openai.APITimeoutError):
        for _ in hasty.responses.create(model="silent", input="Hi", stream=is_stream):
            pass
    assert eventually(lambda: site.streams() == 0)


def test_leaving_a_responses_stream_ends_the_request(client: OpenAI, site: Site) -> None:
    stream = client.responses.create(model="slow", input="Hi", stream=True)
    while next(stream).type != "response.output_text.delta":
        continue
    assert site.streams() == 1
    stream.close()
    assert eventually(lambda: site.streams() == 0)


def test_errors_have_their_own_classes(client: OpenAI) -> None:
    with pytest.raises(openai.NotFoundError) as missing:
        client.chat.completions.create(model="none", messages=HELLO)
    with pytest.raises(openai.BadRequestError) as refused:
        client.chat.completions.create(model="tiny", messages=HELLO, n=9)
    assert (missing.value.code, refused.value.param) == ("model_not_found", "n")


@pytest.mark.parametrize("is_stream", [True, False])
def test_a_refusal_of_the_model_has_its_real_status(client: OpenAI, is_stream: bool) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        client.chat.completions.create(model="strict", messages=HELLO, stream=is_stream)
    assert refused.value.code == "context_length_exceeded"


def test_a_full_server_says_when_to_come_back(client: OpenAI) -> None:
    with pytest.raises(openai.RateLimitError) as refused:
        client.chat.completions.create(model="full", messages=HELLO, stream=True)
    assert refused.value.response.headers["Retry-After"] == "2"


def test_an_answer_that_breaks_ends_with_an_error(client: OpenAI) -> None:
    received = []
    with pytest.raises(openai.APIError, match="process ended"):
        for chunk in client.chat.completions.create(model="broken", messages=HELLO, stream=True):
            received.append(chunk.choices[0].delta.content)
    assert received == ["", "Hello"]


def test_a_body_over_the_limit_is_refused_with_413(client: OpenAI) -> None:
    with pytest.raises(openai.APIStatusError) as refused:
        client.chat.completions.create(model="tiny", messages=[{"role": "user", "content": "x" * 2**21}])
    assert (refused.value.status_code, refused.value.code) == (413, "body_too_large")


def test_a_storm_of_clients_that_leave_at_once_leaves_nothing_running(site: Site) -> None:
    body = json.dumps(chat_body(model="slow", stream=True)).encode()
    head = b"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    for _ in range(100):
        with socket.create_connection(("127.0.0.1", site.port)) as client:
            client.sendall(head + b"Content-Length: %d\r\n\r\n" % len(body) + body)
    assert eventually(lambda: site.streams() == 0, within_s=3)
    assert httpx.get(f"{site.address}/health").json()["waiting"] == 0
