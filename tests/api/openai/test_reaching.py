"""Each field of a body, sent through the views, is what the model is asked; what it does is proved there."""

import struct
from typing import Any

from inference.core.events import Accepted, Embedded, Finished, Usage
from inference.core.requests import Request
from tests.api.openai.asking import HELLO, post
from tests.api.openai.reaching import CHAT, COMPLETION, EMBEDDING, RESPONSE
from tests.each import each
from tests.fakes import EventRunner, FakeRunner, card, serving


def value_at(request: Request, path: str) -> Any:
    found: Any = request
    for part in path.split("."):
        found = found[int(part)] if part.isdecimal() else getattr(found, part)
    return found


async def asked(endpoint: str, body: dict[str, Any], runner: FakeRunner, kind: str = "chat") -> Request:
    with serving(runner, cards=[card(kind=kind)]):
        response = await post(f"/v1/{endpoint}", {"model": "tiny"} | body)
    assert response.status_code == 200, response.content
    (request,) = runner.requests
    return request


@each(("fields", "path", "value"), CHAT)
async def test_a_field_of_a_chat_reaches_the_model(fields: dict[str, Any], path: str, value: Any) -> None:
    request = await asked("chat/completions", {"messages": HELLO} | fields, FakeRunner())
    assert value_at(request, path) == value


@each(("fields", "path", "value"), COMPLETION)
async def test_a_field_of_a_completion_reaches_the_model(
    fields: dict[str, Any], path: str, value: Any
) -> None:
    request = await asked("completions", {"prompt": "Hi"} | fields, FakeRunner())
    assert value_at(request, path) == value


@each(("fields", "path", "value"), EMBEDDING)
async def test_a_field_of_an_embedding_reaches_the_model(
    fields: dict[str, Any], path: str, value: Any
) -> None:
    count = len(fields.get("input", [0]))
    vectors = Embedded(vectors=(struct.pack("<3f", 1, 0, 0),) * count)
    runner = EventRunner(Accepted(prompt_tokens=1), vectors, Finished(usage=Usage(prompt_tokens=1)))
    request = await asked("embeddings", {"input": "Hi"} | fields, runner, kind="embedding")
    assert value_at(request, path) == value


@each(("fields", "path", "value"), RESPONSE)
async def test_a_field_of_a_response_reaches_the_model(fields: dict[str, Any], path: str, value: Any) -> None:
    request = await asked("responses", {"input": "Hi", "store": False} | fields, FakeRunner())
    assert value_at(request, path) == value
