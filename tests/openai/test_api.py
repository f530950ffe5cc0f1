import re

import pytest
from django.test import AsyncClient

from inference.openai.api import api
from inference.openai.auth import Caller
from mlxsite.config import Config
from tests.openai.asking import error_of

ROUTES = {
    (method, path)
    for _, router in api._routers
    for path, view in router.path_operations.items()
    for operation in view.operations
    for method in operation.methods
}
KNOWN = {
    ("POST", "/chat/completions"),
    ("POST", "/completions"),
    ("POST", "/embeddings"),
    ("POST", "/responses"),
    ("GET", "/responses/{response_id}"),
    ("DELETE", "/responses/{response_id}"),
    ("GET", "/responses/{response_id}/input_items"),
    ("POST", "/tokenize"),
    ("POST", "/detokenize"),
    ("GET", "/models"),
    ("GET", "/models/{path:model_id}"),
}


def test_every_route_is_listed_here() -> None:
    assert ROUTES == KNOWN  # a new route must be added to KNOWN, and so pass through the tests below


def test_one_caller_guards_the_whole_api() -> None:
    assert [type(guard) for guard in api.auth or []] == [Caller]


@pytest.mark.parametrize(("method", "path"), sorted(KNOWN))
async def test_no_route_answers_a_stranger(method: str, path: str, settings: object) -> None:
    settings.CONFIG = Config(api_key="sesame")  # type: ignore[attr-defined, arg-type]
    ask = getattr(AsyncClient(), method.lower())
    address = "/v1" + re.sub(r"\{[^}]+\}", "tiny", path)
    response = await ask(address, content_type="application/json")
    assert (response.status_code, error_of(response)["code"]) == (401, "invalid_api_key")


@pytest.mark.parametrize("path", ["/v1/docs", "/v1/", "/v1/images", "/v1/models/"])
async def test_there_is_nothing_else(path: str) -> None:
    response = await AsyncClient().get(path)
    assert (response.status_code, error_of(response)["code"]) == (404, "not_found")
