"""A client with a wrong base URL reads which one is right."""

import json

import pytest
from django.test import AsyncClient

from inference.api.http.base_urls import meant_path
from inference.core.config import Config
from tests.api.openai.asking import error_of, post
from tests.each import each

HTML = {"Accept": "text/html,application/xhtml+xml"}


@each(
    ("path", "meant"),
    [
        ("/chat/completions", "/v1/chat/completions"),
        ("/models", "/v1/models"),
        ("/responses/resp_1", "/v1/responses/resp_1"),
        ("/v1/v1/messages", "/v1/messages"),
        ("/api/chat", "/ollama/api/chat"),
        ("/v1/api/tags", "/ollama/api/tags"),
        ("/ollama/chat/completions", "/v1/chat/completions"),
        ("//v1/chat/completions", "/v1/chat/completions"),
        ("/v1//models", "/v1/models"),
        ("/v1/chat/completions/", "/v1/chat/completions"),
        ("/V1/messages", "/v1/messages"),
        ("/ollama/api/tags/", "/ollama/api/tags"),
        ("/anthropic/v1/messages", "/v1/messages"),
        ("/openai/v1/embeddings", "/v1/embeddings"),
        ("/openai/deployments/tiny/chat/completions", "/v1/chat/completions"),
        ("/" + "x/" * 500 + "models", None),
        ("/v1/nothing", None),
        ("/admin/nothing", None),
        ("/", None),
    ],
)
def test_the_path_that_was_meant(path: str, meant: str | None) -> None:
    assert meant_path(path) == meant


def test_nothing_is_ollamas_where_it_is_switched_off(settings: object) -> None:
    settings.CONFIG = Config(ollama="")  # type: ignore[attr-defined]
    assert meant_path("/models") == "/v1/models"


@pytest.mark.parametrize("path", ["/chat/completions", "/v1/v1/chat/completions"])
async def test_the_error_names_it(path: str) -> None:
    response = await post(path, {"model": "tiny"})
    assert response.status_code == 404
    error = error_of(response)
    assert error["code"] == "not_found" and "Is /v1/chat/completions meant?" in error["message"]


async def test_it_has_the_form_of_the_clients_api() -> None:
    sent = {"anthropic-version": "2023-06-01"}
    response = await post("/v1/v1/messages", {"model": "tiny"}, headers=sent)
    error = json.loads(response.content)
    assert (error["type"], error["error"]["type"]) == ("error", "not_found_error")
    assert "Is /v1/messages meant?" in error["error"]["message"]
    response = await post("/api/chat", {"model": "tiny"})
    assert "Is /ollama/api/chat meant?" in error_of(response)["message"]


@each("path", ["/v1", "/v1/", "/ollama", "/ollama/"])
async def test_a_base_url_alone_is_told_from_an_endpoint(path: str) -> None:
    response = await post(path, {"model": "tiny"})
    assert response.status_code == 404 and response["Content-Type"] == "application/json"
    assert b"This is a base URL" in response.content


async def test_who_sends_json_gets_json() -> None:
    response = await post("/v1beta/models/tiny:generateContent", {"contents": []})
    assert response.status_code == 404 and error_of(response)["code"] == "not_found"


@pytest.mark.django_db(transaction=True)
async def test_a_visitor_gets_a_page() -> None:
    response = await AsyncClient().get("/chat/completions", headers=HTML)
    assert response.status_code == 404 and response["Content-Type"].startswith("text/html")
