"""Prompts that are cut at their beginning, as vLLM's `truncate_prompt_tokens` asks."""

from msgspec import structs

from inference.core.errors import UnsupportedField
from inference.core.requests import ChatRequest, GenerationRequest


def cut(
    request: GenerationRequest, prompts: list[list[int]], *, context: int, answer_tokens: int
) -> tuple[GenerationRequest, list[list[int]]]:
    """The last tokens of each prompt, and the request with what is left of those that were cut.

    A limit of -1 keeps what the context of `context` tokens has beside an answer of `answer_tokens`, and at
    least half of the context. Raises UnsupportedField for a prompt with pictures.
    """
    if request.prompt_limit is None:
        return request, prompts
    if isinstance(request, ChatRequest) and any(message.pictures for message in request.messages):
        raise UnsupportedField(
            "A prompt with pictures cannot be cut; leave truncate_prompt_tokens out.",
            param="truncate_prompt_tokens",
        )
    most = request.prompt_limit
    if most < 0:
        most = context - max(1, min(answer_tokens, context // 2))
    kept = [prompt[-most:] for prompt in prompts]
    if isinstance(request, ChatRequest) or kept == prompts:
        return request, kept
    # An echo is the text of what is left.
    texts = [
        text if len(after) == len(before) else tuple(after)
        for text, before, after in zip(request.prompts, prompts, kept, strict=True)
    ]
    return structs.replace(request, prompts=tuple(texts)), kept
