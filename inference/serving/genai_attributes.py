"""Requests in the terms of OpenTelemetry's semantic conventions for generative AI.

https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-spans/ lists the attributes. Those with the text of
prompts, answers and stop sequences are left out.
"""

from typing import Final

from opentelemetry.util.types import AttributeValue

from inference.core.events import Usage
from inference.core.requests import (
    ChatRequest,
    CompletionRequest,
    EmbeddingRequest,
    Request,
)

PROVIDER: Final = "mlxsite"
_OPERATIONS: Final = {"chat": "chat", "completion": "text_completion", "embedding": "embeddings"}
Attributes = dict[str, AttributeValue]


def operation(request: Request) -> str:
    """The name of the operation; the request's own kind where the conventions have none."""
    return _OPERATIONS.get(request.kind, request.kind)


def of_request(request: Request) -> Attributes:
    """What was asked for, but for texts."""
    attributes: dict[str, AttributeValue | None] = {
        "gen_ai.operation.name": operation(request),
        "gen_ai.provider.name": PROVIDER,
        "gen_ai.request.model": request.model,
    }
    if isinstance(request, ChatRequest | CompletionRequest):
        sampling = request.sampling
        attributes |= {
            "gen_ai.request.max_tokens": request.max_tokens,
            "gen_ai.request.choice.count": request.n if request.n != 1 else None,
            "gen_ai.request.temperature": sampling.temperature,
            "gen_ai.request.top_p": sampling.top_p,
            "gen_ai.request.top_k": sampling.top_k,
            "gen_ai.request.seed": sampling.seed,
            "gen_ai.request.presence_penalty": sampling.presence_penalty or None,
            "gen_ai.request.frequency_penalty": sampling.frequency_penalty or None,
        }
    if isinstance(request, EmbeddingRequest):
        attributes["gen_ai.embeddings.dimension.count"] = request.dimensions
    return {name: value for name, value in attributes.items() if value is not None}


def of_usage(usage: Usage) -> Attributes:
    """The tokens of a complete answer."""
    return {
        "gen_ai.usage.input_tokens": usage.prompt_tokens,
        "gen_ai.usage.output_tokens": usage.completion_tokens,
        "gen_ai.usage.cache_read.input_tokens": usage.cached_tokens,
        "gen_ai.usage.reasoning.output_tokens": usage.reasoning_tokens,
    }
