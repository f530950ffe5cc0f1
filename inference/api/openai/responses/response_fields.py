"""A response's own fields: what was asked, and the values that were used.

All that the Response object of Open Responses requires is here, whether or not the request named it:
https://www.openresponses.org/reference
"""

import time
from typing import Any

from inference.api.openai.schemas import ResponseBody
from inference.core.events import Usage
from inference.core.requests import NEUTRAL, Sampling


def begun(response_id: str, body: ResponseBody) -> dict[str, Any]:
    """The fields of a response that has no output yet."""
    return {
        "id": response_id,
        "object": "response",
        "created_at": int(time.time()),
        "completed_at": None,
        "status": "in_progress",
        "background": False,
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
        "reasoning": {"effort": body.reasoning.effort if body.reasoning else None, "summary": None},
        "safety_identifier": body.safety_identifier,
        "service_tier": "default",
        "store": body.is_stored,
        "text": {"format": _text_format(body)},
        "tool_choice": _tool_choice(body),
        "tools": [_tool(tool.model_dump()) for tool in body.tools or ()],
        "top_logprobs": 0,
        "truncation": "disabled",
        "usage": None,
        "user": body.user,
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
    return {"status": "completed", "completed_at": int(time.time()), "usage": _usage(usage)}


def incomplete(usage: Usage) -> dict[str, Any]:
    """What changes when the answer was cut off at its length."""
    details = {"reason": "max_output_tokens"}
    return {"status": "incomplete", "incomplete_details": details, "usage": _usage(usage)}


def failed(code: str, message: str) -> dict[str, Any]:
    """What changes when it fails, also at the very end."""
    error = {"code": code, "message": message}
    return {"status": "failed", "completed_at": None, "incomplete_details": None, "error": error}


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
    return choice or "auto" if choice is None or isinstance(choice, str) else choice.model_dump()


def _tool(tool: dict[str, Any]) -> dict[str, Any]:
    return {**tool, "strict": bool(tool["strict"])}


def _usage(usage: Usage) -> dict[str, Any]:
    return {
        "input_tokens": usage.prompt_tokens,
        "input_tokens_details": {"cached_tokens": usage.cached_tokens},
        "output_tokens": usage.completion_tokens,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
        "total_tokens": usage.prompt_tokens + usage.completion_tokens,
    }
