"""What ends the reasoning of an answer: the request's limit, or a wish that comes later."""

from inference.core.requests import ChatRequest, GenerationRequest
from inference.worker.model.loaded_model import LoadedModel
from inference.worker.sampling.thinking_budget import ThinkingBudget


def budget_of(
    request: GenerationRequest, prompt: list[int], model: LoadedModel, answer_tokens: int
) -> ThinkingBudget | None:
    """The budget of an answer that has about so many tokens; None for one without reasoning."""
    adapter, tokenizer = model.adapter, model.tokenizer
    if not isinstance(request, ChatRequest) or not adapter.can_reason:
        return None
    markers = adapter.reasoning_markers(request)
    state = adapter.reasoning_state(prompt, request)
    return ThinkingBudget(
        tokens=adapter.thinking_plan(request).limit(answer_tokens),
        opening=markers.opening,
        closing=markers.closing,
        opening_id=tokenizer.id_of(markers.opening),
        forced=tuple(tokenizer.encode(markers.closing + markers.following)),
        starts_inside=bool(state and state.is_open),
        decode=tokenizer.decode,
    )
