"""A response's own fields: what was asked, and the values that were used.

All that the Response object of Open Responses requires is here, whether or not the request named it:
https://www.openresponses.org/reference
"""

import time
from collections.abc import Mapping
from typing import Any

from inference.api.openai.schemas import ResponseBody
from inference.api.openai.schemas.response_tools import CustomTool, FunctionTool, HostedTool, NamespaceTool
from inference.api.openai.usage import truncation_of
from inference.core.events import Usage
from inference.core.requests import NEUTRAL, Sampling


def begun(response_id: str, body: ResponseBody) -> dict[str, Any]:
    """The fields of a response that has no output yet."""
    conversation = {"conversation": {"id": body.conversation_id}} if body.conversation_id else {}
    return {
        "id": response_id,
        "object": "response",
        "created_at": int(time.time()),
        "completed_at": None,
        "status": "queued" if body.background else "in_progress",
        "background": bool(body.background),
        "error": None,
        "incomplete_details": None,
        "instructions": body.instructions,
        "max_output_tokens": body.max_output_tokens,
        "max_tool_calls": None,
        "metadata": body.metadata or {},
        "model": body.model,
        "parallel_tool_calls": body.parallel_tool_calls is not False,
        "previous_response_id": body.previous_response_id,
        "prompt_cache_key": body.prompt_cache_key,
        "reasoning": {
            "effort": body.reasoning.effort if body.reasoning else None,
            "summary": body.reasoning.summary if body.reasoning else None,
        },
        "safety_identifier": body.safety_identifier,
        "service_tier": "default",
        "store": body.is_stored,
        "text": {"format": _text_format(body)},
        "tool_choice": _tool_choice(body),
        "tools": [_tool(tool) for tool in body.tools or () if not isinstance(tool, HostedTool)],
        "top_logprobs": body.top_logprobs or 0,
        "truncation": body.truncation or "disabled",
        "usage": None,
        "user": body.user,
        **conversation,
        **drawn_with(body.sampling),
    }


def drawn_with(sampling: Sampling) -> dict[str, Any]:
    """How the tokens are drawn; what is still open is what the sampler itself takes."""
    used = sampling.over(NEUTRAL)
    return {
        "temperature": used.temperature,
        "top_p": used.top_p,
        "presence_penalty": used.presence_penalty,
        "frequency_penalty": used.frequency_penalty,
    }


def completed(usage: Usage) -> dict[str, Any]:
    """What changes when the answer is whole."""
    return {"status": "completed", "completed_at": int(time.time()), "usage": usage_of(usage)}


def incomplete(usage: Usage) -> dict[str, Any]:
    """What changes when the answer was cut off at its length."""
    details = {"reason": "max_output_tokens"}
    return {"status": "incomplete", "incomplete_details": details, "usage": usage_of(usage)}


def failed(code: str, message: str) -> dict[str, Any]:
    """What changes when it fails, also at the very end."""
    error = {"code": code, "message": message}
    return {"status": "failed", "completed_at": None, "incomplete_details": None, "error": error}


CANCELLED: Mapping[str, Any] = {"status": "cancelled"}
_LAST_EVENTS = {"cancelled": "incomplete"}  # no event of its own is published for it


def last_event(status: str) -> str:
    """The type of the event with which the stream of a response of this status ends."""
    return f"response.{_LAST_EVENTS.get(status, status)}"


def begun_again(body: Mapping[str, Any]) -> dict[str, Any]:
    """A stored response as it was before it had any output."""
    status = "queued" if body["background"] else "in_progress"
    nothing = dict.fromkeys(("completed_at", "error", "incomplete_details", "usage"))
    return {**body, **nothing, "status": status, "output": []}


def _text_format(body: ResponseBody) -> dict[str, Any]:
    form = body.text.format if body.text else None
    if form is None or form.type != "json_schema":
        return {"type": form.type if form else "text"}
    # The schema is enforced whether or not `strict` was sent.
    return {
        "type": "json_schema",
        "name": form.name,
        "description": None,
        "schema": form.schema_,
        "strict": form.strict is not False,
    }


def _tool_choice(body: ResponseBody) -> Any:
    choice = body.tool_choice
    if choice is None or isinstance(choice, str):
        return choice or "auto"
    return choice.model_dump(exclude_none=True)


def _tool(tool: FunctionTool | CustomTool | NamespaceTool) -> dict[str, Any]:
    fields = tool.model_dump()
    match tool:
        case FunctionTool():
            return {**fields, "strict": bool(tool.strict)}
        case CustomTool():
            form = tool.format.model_dump(exclude_none=True) if tool.format else {"type": "text"}
            return {**fields, "format": form}
    return {**fields, "tools": [_tool(one) for one in tool.tools if not isinstance(one, HostedTool)]}


def usage_of(usage: Usage) -> dict[str, Any]:
    return {
        "input_tokens": usage.prompt_tokens,
        "input_tokens_details": {"cached_tokens": usage.cached_tokens},
        "output_tokens": usage.completion_tokens,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning_tokens} | truncation_of(usage),
        "total_tokens": usage.prompt_tokens + usage.completion_tokens,
    }
