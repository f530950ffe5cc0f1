"""Recorded requests of clients: each is answered, and what it cannot have is listed or refused."""

import json
import struct
from pathlib import Path
from typing import Any

import pytest

from inference.core.events import Accepted, Embedded, Finished, Usage
from inference.core.requests import ChatRequest
from tests import vision_extra
from tests.api.openai.asking import post
from tests.clients.recorded import Recorded, recorded
from tests.fakes import EventRunner, FakeRunner, card, serving

REQUESTS = {one.name: one for one in recorded()}
# Refusals that are kept on purpose: status, `param`.
REFUSED = {
    # The model reads text only, and an answer that pretends to see would be wrong.
    "langchain-py-1.7-image-part": (400, "messages.0.content"),
    # Claude Code takes the image out by the wording of the refusal, and asks again.
    "claude-code-2.1-image-read-by-a-tool": (400, "Could not process image: the model"),
    "cline-3.0-image-read-by-a-tool": (400, "messages.4.content"),
    # The item is none that this server has stored; with the response before it is answered.
    "ai-sdk-openai-3.0-multi-turn-item-reference": (404, "input.1"),
}
# The handling of a field or tool that only describes, or that only OpenAI's servers have.
_DESCRIPTION = {"x-mlx-noted": "response_format.json_schema.description"}
_CODEX = {"x-mlx-noted": "client_metadata", "x-mlx-omitted": "web_search"}
LISTED: dict[str, dict[str, str]] = {
    "ai-sdk-generateObject-schemaDescription-chat": _DESCRIPTION,
    "claude-code-2.1-title-with-schema": {"x-mlx-noted": "system.0:x-anthropic-billing-header"},
    "claude-code-2.1-tool-result": {"x-mlx-noted": "system.0:x-anthropic-billing-header"},
    "cline-3.0-openai-provider": {
        "x-mlx-noted": "truncation",
        "x-mlx-omitted": "tools.0:web_search, tools.1:image_generation",
    },
    "codex-0.171-apply-patch-result": _CODEX,
    "codex-0.171-output-schema-tool-result": _CODEX,
    "codex-0.171-responses": {"x-mlx-noted": "client_metadata", "x-mlx-omitted": "web_search"},
    "codex-0.171-responses-all-switches-off": {"x-mlx-noted": "client_metadata"},
    "codex-0.171-tool-result": _CODEX,
    "copilot-cli-1.0-history-of-another-api": {"x-mlx-noted": "messages.3.__copilotMessageSource"},
    "langchain-js-1.5-withStructuredOutput-described-schema": _DESCRIPTION,
    "librechat-web-search": {"x-mlx-omitted": "tools.0:web_search"},
    "openai-agents-js-0.20-history-sent-back": {"x-mlx-noted": "messages.1.content.0.role"},
    "openai-python-chat-store-true": {"x-mlx-noted": "store"},
    "openwebui-param-num_ctx": {"x-mlx-noted": "num_ctx"},
    "aider-0.86-ollama-provider": {"x-mlx-noted": "options.num_ctx"},
    "pi-0.73-anthropic-thinking-tool-result": {"x-mlx-noted": "tools.0.eager_input_streaming"},
    "pi-0.73-tool-result": {"x-mlx-noted": "store"},
    "pydantic-ai-2.68-NativeOutput-docstring-chat": _DESCRIPTION,
    "roo-code-prompt-caching": {"x-mlx-noted": "messages.0.content.0.cache_control"},
    "vscode-copilot-chat-custom-endpoint-chat": {"x-mlx-noted": "messages.0.copilot_cache_control"},
}


async def answered(request: Recorded) -> Any:
    if request.path != "/v1/embeddings":
        with serving(FakeRunner()):
            return await post(request.path, request.asking("tiny"), headers=request.headers)
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
    error = json.loads(response.content)["error"]
    # Anthropic's errors have no field for the parameter; the message begins with it.
    assert (error.get("param") or error["message"].lstrip("'")).startswith(param)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("name", [name for name in REFUSED if "image" in name])
async def test_a_model_that_sees_gets_the_pictures(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    vision_extra.install(monkeypatch, tmp_path)
    request, runner = REQUESTS[name], FakeRunner(sees=True)
    with serving(runner, cards=[card(sees=True)]):
        response = await post(request.path, request.asking("tiny"), headers=request.headers)
    assert response.status_code == 200
    (asked,) = runner.requests
    assert isinstance(asked, ChatRequest)
    assert [p.width for message in asked.messages for p in message.pictures] == [3]


def test_every_exception_is_one_of_a_recorded_request() -> None:
    assert REFUSED.keys() | LISTED.keys() <= REQUESTS.keys()
