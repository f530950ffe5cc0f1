"""POST /v1/responses/compact: a conversation as its user messages and a summary of all the rest.

The model itself writes the summary. The client sends the whole output back as the input of the next response.
https://platform.openai.com/docs/api-reference/responses/compact
"""

import secrets
import time
from collections.abc import Iterator, Sequence
from contextlib import aclosing
from typing import Any, Self

from django.http import HttpResponse
from ninja import Router
from pydantic import model_validator

from inference.api.http import answer_headers, disconnects, field_names, sealed_text, strict_json
from inference.api.http.auth import AuthenticatedRequest
from inference.api.http.json_answer import json_answer
from inference.api.http.strict_schema import unsupported
from inference.api.openai.responses import input_items, response_fields
from inference.api.openai.responses.item_ids import new_id
from inference.api.openai.responses.response_run import ResponseRun
from inference.api.openai.responses.summary import Summary, is_summary, summary_request
from inference.api.openai.schemas import ResponseBody
from inference.core.events import Usage
from inference.core.picture_placeholders import described
from inference.core.requests import ChatRequest, Message
from inference.serving import generation

router = Router()
# What would change an answer, and does not change a summary.
_WITHOUT_EFFECT = (
    "tools",
    "tool_choice",
    "parallel_tool_calls",
    "text",
    "include",
    "top_logprobs",
    "store",
    "context_management",
)


class CompactBody(ResponseBody):
    """A body of POST /v1/responses, of which the conversation is summarised."""

    @model_validator(mode="after")
    def _check_stream(self) -> Self:
        for field in ("stream", "background"):
            if getattr(self, field):
                raise unsupported("<field> is not supported: a compaction comes whole.", field)
        return self

    @property
    def noted_values(self) -> Iterator[str]:
        """What asks for nothing that a summary has."""
        yield from (field for field in _WITHOUT_EFFECT if getattr(self, field) is not None)


@router.post("/responses/compact")
async def compact_response(request: AuthenticatedRequest) -> HttpResponse:
    """Summarise a conversation: its user messages, and one item that stands for all the rest."""
    body = await strict_json.read(request, CompactBody)
    answer_headers.list_in(request, answer_headers.NOTED, body.noted_values)
    answer_headers.list_in(request, answer_headers.OMITTED, input_items.omitted(body))
    run = ResponseRun(request.auth.owner, body)
    with field_names.in_names_of(body.own_names):
        chat_request = await run.prepare()
    with field_names.in_names_of(run.field_names):
        summary, usage = await _summary(request, chat_request)
    made = {
        "id": f"resp_{secrets.token_hex(24)}",
        "object": "response.compaction",
        "created_at": int(time.time()),
        "output": [*_user_messages(chat_request.messages), _item(summary)],
        "usage": response_fields.usage_of(usage),
    }
    return json_answer(made)


async def _summary(request: AuthenticatedRequest, chat_request: ChatRequest) -> tuple[str, Usage]:
    """What the model says of the conversation; a client that disconnects cancels it."""
    disconnects.cancel_at_end(request)
    summary = Summary()
    async with aclosing(
        generation.stream(summary_request(chat_request, chat_request.messages), request.auth)
    ) as events:
        async for event in events:
            summary.note(event)
    return summary.text, summary.usage


def _user_messages(messages: Sequence[Message]) -> Iterator[dict[str, Any]]:
    for message in messages:
        if message.role == "user" and not is_summary(message):
            yield {
                "id": new_id("message"),
                "type": "message",
                "status": "completed",
                "role": "user",
                "content": [{"type": "input_text", "text": described(message).content}],
            }


def _item(summary: str) -> dict[str, Any]:
    sealed = sealed_text.seal(summary, input_items.COMPACTION)
    return {"id": new_id("compaction"), "type": "compaction", "encrypted_content": sealed}
