"""Who may use the prefix, where it is, and the form of what goes wrong there."""

import json
import re

import pytest
from django.test import AsyncClient
from django.urls import get_resolver

from inference.api.ollama.api import api, urls
from inference.core.addresses import TAKEN, free_path
from inference.core.config import Config
from tests.api.ollama.asking import ask, error_of, get
from tests.each import each
from tests.fakes import FakeRunner, serving

ROUTES = {
    (method, path)
    for _, router in api._routers
    for path, view in router.path_operations.items()
    for operation in view.operations
    for method in operation.methods
}


def test_every_route_is_listed_here() -> None:
    posts = (
        "blobs/{digest}",
        "chat",
        "copy",
        "create",
        "embed",
        "embeddings",
        "generate",
        "pull",
        "push",
        "show",
    )
    gets = ("ps", "tags", "version")
    assert {
        ("DELETE", "/delete"),
        *(("POST", f"/{path}") for path in posts),
        *(("GET", f"/{path}") for path in gets),
    } == ROUTES


@pytest.mark.parametrize(("method", "path"), sorted(ROUTES))
async def test_no_route_answers_a_stranger(method: str, path: str, settings: object) -> None:
    settings.CONFIG = Config(api_key="sesame")  # type: ignore[attr-defined]
    asked = getattr(AsyncClient(), method.lower())
    address = "/ollama/api" + re.sub(r"\{[^}]+\}", "x", path)
    response = await asked(address, content_type="application/json")
    assert response.status_code == 401
    assert "API key" in error_of(response)


async def test_what_is_not_there_is_an_error_of_ollamas() -> None:
    assert (await get("/api/nothing")).status_code == 404
    assert "URL does not exist" in error_of(await get("/api/nothing"))
    assert error_of(await get("/api/chat"))


async def test_a_wrong_field_is_named() -> None:
    with serving(FakeRunner()):
        response = await ask("chat", messages=[], options={"temperature": "hot"})
    assert response.status_code == 400 and "'options.temperature'" in error_of(response)


async def test_a_field_that_only_a_newer_client_knows_is_noted() -> None:
    body = json.dumps({"model": "tiny", "prompt": "Hi", "stream": False, "newer": 1})
    sent = {"User-Agent": "ollama-python/0.6.3 (arm64 darwin)"}
    with serving(FakeRunner()):
        response = await AsyncClient().post(
            "/ollama/api/generate", body, content_type="application/json", headers=sent
        )
        refused = await ask("generate", prompt="Hi", newer=1)
    assert (response.status_code, response["x-mlx-noted"]) == (200, "newer")
    assert refused.status_code == 400 and "'newer'" in error_of(refused)


def test_without_a_prefix_there_is_nothing() -> None:
    assert urls("") == [] and len(urls("/a/b")) == 3


@each(("given", "path"), [("/ollama/", "/ollama"), ("", ""), ("/a/b-c", "/a/b-c"), ("/", "")])
def test_a_prefix_is_a_path(given: str, path: str) -> None:
    assert free_path(given) == path
    assert Config(ollama=given).ollama == path


@each("given", ["ollama", "http://x/ollama", "/api", "/v1/x", "/a b", "/../x", "//x", "/Admin"])
def test_what_is_no_free_path_stops_the_start(given: str) -> None:
    with pytest.raises(ValueError, match=r"is not a path|is an address of the site itself"):
        Config(ollama=given)


def test_the_sites_own_addresses_are_taken() -> None:
    def firsts(patterns: object, above: str = "") -> set[str]:
        found = set()
        for one in patterns:  # type: ignore[attr-defined]
            route = above + str(one.pattern)
            found |= (
                {route.split("/")[0]}
                if "/" in route or not hasattr(one, "url_patterns")
                else firsts(one.url_patterns, route)
            )
        return found

    own = firsts(get_resolver().url_patterns)
    assert own - {"", "ollama"} <= TAKEN
