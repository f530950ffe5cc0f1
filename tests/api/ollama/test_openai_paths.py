"""OpenAI's API below Ollama's prefix: the answers and the errors of /v1."""

import json

import pytest
from django.test import AsyncClient, Client

from inference.api.http import anthropic_errors, dialects, errors
from inference.core.config import Config
from tests.api.openai.asking import HELLO, error_of, post
from tests.fakes import FakeRunner, serving

CHAT = {"model": "tiny", "messages": HELLO}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("path", "body", "kind"),
    [
        ("/ollama/v1/chat/completions", CHAT, "chat.completion"),
        ("/ollama/v1/completions", {"model": "tiny", "prompt": "Once"}, "text_completion"),
        ("/ollama/v1/responses", {"model": "tiny", "input": "Hello"}, "response"),
    ],
)
async def test_a_client_of_ollama_finds_openais_api(path: str, body: object, kind: str) -> None:
    with serving(FakeRunner()):
        response = await post(path, body)
    assert response.status_code == 200
    assert json.loads(response.content)["object"] == kind


@pytest.mark.django_db(transaction=True)
async def test_messages_of_anthropics_are_answered_as_well() -> None:
    with serving(FakeRunner()):
        response = await post("/ollama/v1/messages", CHAT | {"max_tokens": 5})
        refused = await post("/ollama/v1/messages", CHAT)
    assert json.loads(response.content)["type"] == "message" and response["request-id"]
    assert json.loads(refused.content)["type"] == "error"


def test_the_list_of_models_is_openais() -> None:
    with serving(FakeRunner()):
        listed = Client().get("/ollama/v1/models").json()
    assert [model["id"] for model in listed["data"]] == ["tiny"]


async def test_errors_are_openais() -> None:
    response = await AsyncClient().get("/ollama/v1/nothing")
    assert response.status_code == 404 and error_of(response)["code"] == "not_found"


async def test_a_key_is_needed_there_too(settings: object) -> None:
    settings.CONFIG = Config(api_key="sesame")  # type: ignore[attr-defined]
    response = await post("/ollama/v1/chat/completions", CHAT)
    assert response.status_code == 401 and error_of(response)["code"] == "invalid_api_key"


@pytest.mark.parametrize(
    ("prefix", "path", "served"),
    [
        ("/ollama", "/ollama/v1/models", "/v1/models"),
        ("/local/llm", "/local/llm/v1/models", "/v1/models"),
        ("/ollama", "/ollama/v1x", "/ollama/v1x"),
        ("/ollama", "/ollama/api/tags", "/ollama/api/tags"),
        ("/ollama", "/v1/ollama/v1/models", "/v1/ollama/v1/models"),
        ("", "/v1/models", "/v1/models"),
    ],
)
def test_only_what_is_below_the_prefix_is_served_elsewhere(
    settings: object, prefix: str, path: str, served: str
) -> None:
    settings.CONFIG = Config(ollama=prefix)  # type: ignore[attr-defined]
    assert dialects.served_path(path) == served


def test_what_is_refused_before_django_has_the_form_of_the_same_api() -> None:
    assert errors.encoder_of("/ollama/v1/models") is errors.encode
    assert errors.encoder_of("/ollama/v1/messages") is anthropic_errors.encode
    assert errors.encoder_of("/ollama/api/chat") is errors.encode_as_text
