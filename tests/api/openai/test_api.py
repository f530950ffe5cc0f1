import re
from collections.abc import Sequence

import pytest
from django.test import AsyncClient

from inference.api.http.auth import Caller
from inference.api.openai.api import api
from inference.core.config import Config
from tests.api.anthropic.asking import error_of as anthropic_error
from tests.api.openai.asking import error_of
from tests.each import each

ROUTES = {
    (method, path)
    for _, router in api._routers
    for path, view in router.path_operations.items()
    for operation in view.operations
    for method in operation.methods
}
KNOWN = {
    ("POST", "/chat/completions"),
    ("POST", "/chat/completions/control"),
    ("POST", "/completions"),
    ("POST", "/embeddings"),
    ("POST", "/rerank"),
    ("POST", "/responses"),
    ("POST", "/responses/compact"),
    ("POST", "/responses/input_tokens"),
    ("POST", "/responses/{response:response_id}/cancel"),
    ("GET", "/responses/{response:response_id}"),
    ("DELETE", "/responses/{response:response_id}"),
    ("GET", "/responses/{response:response_id}/input_items"),
    ("POST", "/conversations"),
    ("GET", "/conversations/{conversation_id}"),
    ("POST", "/conversations/{conversation_id}"),
    ("DELETE", "/conversations/{conversation_id}"),
    ("GET", "/conversations/{conversation_id}/items"),
    ("POST", "/conversations/{conversation_id}/items"),
    ("GET", "/conversations/{conversation_id}/items/{item_id}"),
    ("DELETE", "/conversations/{conversation_id}/items/{item_id}"),
    ("POST", "/tokenize"),
    ("POST", "/detokenize"),
    ("POST", "/messages"),
    ("POST", "/messages/count_tokens"),
    ("GET", "/models"),
    ("GET", "/models/{path:model_id}"),
}


def test_every_route_is_listed_here() -> None:
    assert ROUTES == KNOWN  # a new route must be added to KNOWN, and so pass through the tests below


def test_one_caller_guards_the_whole_api() -> None:
    assert isinstance(api.auth, Sequence) and [type(guard) for guard in api.auth] == [Caller]


@pytest.mark.parametrize(("method", "path"), sorted(KNOWN))
async def test_no_route_answers_a_stranger(method: str, path: str, settings: object) -> None:
    settings.CONFIG = Config(api_key="sesame")  # type: ignore[attr-defined]
    ask = getattr(AsyncClient(), method.lower())
    address = "/v1" + re.sub(r"\{[^}]+\}", "resp_1" if "response_id" in path else "tiny", path)
    response = await ask(address, content_type="application/json")
    if path.startswith("/messages"):
        assert (response.status_code, anthropic_error(response)["type"]) == (401, "authentication_error")
    else:
        assert (response.status_code, error_of(response)["code"]) == (401, "invalid_api_key")


NOWHERE = [
    *(
        "docs",
        "",
        "images",
        "models/",
        "files",
        "batches",
        "conversations/conv_1/runs",
        "audio/speech",
        "moderations",
    ),
    *("responses/ws", "responses/resp_1/pause"),
    *("responses/resp_1/input_items/msg_1", "chat/completions/chatcmpl-1", "completions/cmpl-1"),
    *("chat", "embeddings/1", "tokenize/count", "responses/chatcmpl-1", "responses/resp_"),
]


@pytest.mark.parametrize("method", ["get", "post", "delete", "put", "patch"])
@pytest.mark.parametrize("path", NOWHERE)
async def test_there_is_nothing_else_however_it_is_asked(path: str, method: str) -> None:
    response = await getattr(AsyncClient(), method)(f"/v1/{path}", content_type="application/json")
    assert (response.status_code, error_of(response)["code"]) == (404, "not_found")


@each(
    ("method", "path"),
    [
        ("get", "responses"),
        ("put", "responses/resp_1"),
        ("post", "responses/resp_1"),
        ("post", "models/tiny"),
    ],
)
async def test_what_is_there_says_that_it_does_not_answer_to_this(method: str, path: str) -> None:
    response = await getattr(AsyncClient(), method)(f"/v1/{path}", content_type="application/json")
    assert (response.status_code, error_of(response)["code"]) == (405, "method_not_allowed")
