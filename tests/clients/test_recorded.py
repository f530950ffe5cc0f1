"""Recorded requests of clients: each is answered, and what it cannot have is listed or refused."""

import struct
from typing import Any

import pytest

from inference.core.events import Accepted, Embedded, Finished, Usage
from tests.api.openai.asking import error_of, post
from tests.clients.recorded import Recorded, recorded
from tests.fakes import EventRunner, FakeRunner, card, serving

REQUESTS = {one.name: one for one in recorded()}
# Refusals that are kept on purpose: status, `param`.
REFUSED = {
    # No model here reads pictures, and an answer that pretends to would be wrong.
    "langchain-py-1.7-image-part": (400, "messages.0.content.1"),
    # The item is none that this server has stored; with the response before it is answered.
    "ai-sdk-openai-3.0-multi-turn-item-reference": (404, "input.1"),
}
# What becomes of a field or tool that only describes, or that only OpenAI's servers have.
_DESCRIPTION = {"x-mlx-noted": "response_format.json_schema.description"}
LISTED: dict[str, dict[str, str]] = {
    "ai-sdk-generateObject-schemaDescription-chat": _DESCRIPTION,
    "codex-0.171-responses": {"x-mlx-noted": "client_metadata", "x-mlx-omitted": "web_search"},
    "codex-0.171-responses-all-switches-off": {"x-mlx-noted": "client_metadata"},
    "langchain-js-1.5-withStructuredOutput-described-schema": _DESCRIPTION,
    "librechat-web-search": {"x-mlx-omitted": "tools.0:web_search"},
    "openai-agents-js-0.20-history-sent-back": {"x-mlx-noted": "messages.1.content.0.role"},
    "openai-python-chat-store-true": {"x-mlx-noted": "store"},
    "openwebui-param-num_ctx": {"x-mlx-noted": "num_ctx"},
    "pydantic-ai-2.68-NativeOutput-docstring-chat": _DESCRIPTION,
    "roo-code-prompt-caching": {"x-mlx-noted": "messages.0.content.0.cache_control"},
    "vscode-copilot-chat-custom-endpoint-chat": {"x-mlx-noted": "messages.0.copilot_cache_control"},
}


async def answered(request: Recorded) -> Any:
    if request.path != "/v1/embeddings":
        with serving(FakeRunner()):
            return await post(request.path, request.asking("tiny"))
    vectors = Embedded(vectors=(struct.pack("<3f", 1, 0, 0),) * len(request.body["input"]))
    runner = EventRunner(Accepted(prompt_tokens=1), vectors, Finished(usage=Usage(prompt_tokens=1)))
    with serving(runner, cards=[card(kind="embedding")]):
        return await post(request.path, request.asking("tiny"))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("name", sorted(REQUESTS.keys() - REFUSED.keys()))
async def test_it_is_answered(name: str) -> None:
    response = await answered(REQUESTS[name])
    assert response.status_code == 200, response.content
    for header, listed in LISTED.get(name, {}).items():
        assert listed in response[header]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("name", sorted(REFUSED))
async def test_what_is_refused_on_purpose_is_refused_by_name(name: str) -> None:
    response = await answered(REQUESTS[name])
    status, param = REFUSED[name]
    assert response.status_code == status
    assert (error_of(response)["param"] or "").startswith(param)


def test_every_exception_is_one_of_a_recorded_request() -> None:
    assert REFUSED.keys() | LISTED.keys() <= REQUESTS.keys()
