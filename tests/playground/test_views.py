import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.http import StreamingHttpResponse
from django.test import AsyncClient, Client, override_settings

from inference.errors import ContextLengthExceeded
from inference.requests import ChatRequest
from mlxsite.config import Config
from tests.fakes import FakeRunner, card, serving

ASKED: dict[str, Any] = {"model": "tiny", "messages": [{"role": "user", "content": "Hi"}]}


@pytest.fixture
def closed() -> Iterator[None]:
    with override_settings(CONFIG=Config(api_key="secret")):
        yield


async def ask(client: AsyncClient, content_type: str = "application/json", **changes: Any) -> Any:
    return await client.post("/chat/", json.dumps(ASKED | changes), content_type=content_type)


async def events(response: StreamingHttpResponse) -> list[dict[str, Any]]:
    body = b"".join([part async for part in response.streaming_content])  # type: ignore[union-attr]
    return [json.loads(line[6:]) for line in body.decode().splitlines() if line.startswith("data: ")]


def test_the_page_carries_the_models_and_no_inline_code(client: Client) -> None:
    with serving(cards=[card("tiny"), card("</script><b>")]):
        page = client.get("/").content.decode()
    assert '"id": "tiny"' in page
    assert "<b>" not in page
    assert " style=" not in page and " onclick=" not in page


def test_the_icon_other_pages_ask_for_is_there(client: Client) -> None:
    assert client.get("/favicon.ico").headers["Location"] == "/static/icons/favicon.svg"


@pytest.mark.usefixtures("closed")
def test_a_stranger_on_a_closed_site_is_sent_to_sign_in(client: Client) -> None:
    response = client.get("/")
    assert (response.status_code, response.headers["Location"]) == (302, "/login/?next=/")
    assert "Sign in" in client.get("/login/").content.decode()


@pytest.mark.django_db
@pytest.mark.usefixtures("closed")
def test_signing_in_leads_to_the_page_and_signing_out_back(client: Client) -> None:
    User.objects.create_user("ada", password="love")
    with serving():
        page = client.post("/login/", {"username": "ada", "password": "love", "next": "/"}, follow=True)
        assert 'id="composer"' in page.content.decode()
        client.post("/logout/")
        assert client.get("/").status_code == 302


@pytest.mark.django_db
@pytest.mark.usefixtures("closed")
def test_a_wrong_password_is_told_kindly(client: Client) -> None:
    page = client.post("/login/", {"username": "ada", "password": "guess"})
    assert "do not match" in page.content.decode()


async def test_an_answer_streams_its_events_in_order(async_client: AsyncClient) -> None:
    with serving(FakeRunner(["Hel", "lo"])):
        response = await ask(async_client)
        told = await events(response)
    assert response.headers["Content-Type"] == "text/event-stream"
    types = [event["type"] for event in told]
    assert types[0] == "progress" and types[-5:] == ["accepted", "text", "text", "ended", "finished"]
    assert "".join(event["text"] for event in told if event["type"] == "text") == "Hello"


async def test_a_refusal_after_the_start_is_an_event(async_client: AsyncClient) -> None:
    with serving(FakeRunner(refuse_with=ContextLengthExceeded("Too long."))):
        told = await events(await ask(async_client))
    assert told[-1] == {
        "type": "error",
        "code": "context_length_exceeded",
        "message": "Too long.",
        "param": None,
    }


async def test_a_defect_ends_the_stream_with_an_error_that_tells_nothing(async_client: AsyncClient) -> None:
    class Broken(FakeRunner):
        def submit(self, request: Any, owner: str = "") -> Any:
            raise RuntimeError("/secret/path")

    with serving(Broken()):
        told = await events(await ask(async_client))
    assert told[-1]["code"] == "internal_error"
    assert "secret" not in json.dumps(told)


async def test_a_wrong_question_is_refused_before_the_stream(async_client: AsyncClient) -> None:
    with serving():
        response = await ask(async_client, temperature=9)
    assert response.status_code == 400
    assert response.json()["error"]["param"] == "temperature"


@pytest.mark.parametrize(
    ("changes", "param"),
    [
        ({"messages": [{"role": "assistant", "content": "x"}]}, "messages"),
        ({"messages": []}, "messages"),
        ({"n": 2}, "n"),
        ({"seeds": 5}, "seeds"),
    ],
)
async def test_a_question_is_a_body_of_the_api_with_one_answer(
    async_client: AsyncClient, changes: dict[str, Any], param: str
) -> None:
    with serving():
        response = await ask(async_client, **changes)
    assert (response.status_code, response.json()["error"]["param"]) == (400, param)


async def test_every_setting_reaches_the_model(async_client: AsyncClient) -> None:
    runner = FakeRunner()
    with serving(runner):
        await events(await ask(async_client, top_k=5, min_p=0.1, stop=["END"], presence_penalty=0.5))
    (request,) = runner.requests
    assert isinstance(request, ChatRequest)
    assert (request.sampling.top_k, request.sampling.min_p, request.stop) == (5, 0.1, ("END",))


async def test_only_json_is_read(async_client: AsyncClient) -> None:
    assert (await ask(async_client, content_type="text/plain")).status_code == 415


async def test_a_body_beyond_the_limit_is_refused_in_json(async_client: AsyncClient) -> None:
    with override_settings(DATA_UPLOAD_MAX_MEMORY_SIZE=100):
        response = await ask(async_client, model="x" * 200)
    assert (response.status_code, response.json()["error"]["code"]) == (413, "body_too_large")


@pytest.mark.usefixtures("closed")
async def test_a_stranger_on_a_closed_site_gets_no_answer(async_client: AsyncClient) -> None:
    response = await ask(async_client)
    assert (response.status_code, response.json()["error"]["code"]) == (401, "invalid_api_key")


def test_another_page_cannot_ask_in_a_visitors_name() -> None:
    client = Client(enforce_csrf_checks=True)
    response = client.post("/chat/", json.dumps(ASKED), content_type="application/json")
    assert response.status_code == 403
