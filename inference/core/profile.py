"""A profile: how a model answers under the name `model:profile`."""

from collections.abc import Mapping
from typing import Final

from msgspec import Struct, structs

from inference.core.requests import (
    ChatRequest,
    Checkpoint,
    CompletionRequest,
    Message,
    Request,
    Sampling,
    TokenizeRequest,
)

Option = bool | int | float | str
# Options that are fields of a request, too.
THINKING: Final = "enable_thinking"
EFFORT: Final = "reasoning_effort"


class Profile(Struct, frozen=True, kw_only=True):
    """What a request for it gets where it says nothing itself, and the system text that comes first."""

    name: str
    sampling: Sampling = Sampling()
    template_options: tuple[tuple[str, Option], ...] = ()
    system: str = ""

    def applied_to(self, request: Request) -> Request:
        """The request with what the profile adds; the request's own fields win."""
        if isinstance(request, TokenizeRequest):
            of = self.applied_to(request.of)
            return (
                structs.replace(request, of=of)
                if isinstance(of, ChatRequest | CompletionRequest)
                else request
            )
        if isinstance(request, ChatRequest):
            return self._chat(request)
        if isinstance(request, CompletionRequest):
            return structs.replace(request, sampling=request.sampling.over(self.sampling))
        return request

    def _chat(self, request: ChatRequest) -> ChatRequest:
        options = dict(self.template_options)
        thinking, effort = options.pop(THINKING, None), options.pop(EFFORT, None)
        says_nothing = request.thinking is None and not request.effort and request.thinking_budget is None
        return structs.replace(
            self._with_system(request),
            sampling=request.sampling.over(self.sampling),
            template_options=_joined(options, dict(request.template_options)),
            thinking=thinking if says_nothing and isinstance(thinking, bool) else request.thinking,
            effort=effort if says_nothing and isinstance(effort, str) else request.effort,
        )

    def _with_system(self, request: ChatRequest) -> ChatRequest:
        """The request with the system text before that of its own first message, or in one of its own."""
        if not self.system:
            return request
        first = request.messages[0] if request.messages else None
        if first is None or first.role != "system":
            own = Message(role="system", content=self.system)
            moved = tuple(_later(one) for one in request.checkpoints)
            return structs.replace(request, messages=(own, *request.messages), checkpoints=moved)
        added = f"{self.system}\n\n"
        joined = structs.replace(first, content=added + first.content)
        moved = tuple(_moved(one, len(added)) for one in request.checkpoints)
        return structs.replace(request, messages=(joined, *request.messages[1:]), checkpoints=moved)


def _later(checkpoint: Checkpoint) -> Checkpoint:
    """A checkpoint with a message more before it; one at the very beginning stays there."""
    is_at_beginning = not checkpoint.message and not checkpoint.characters
    return checkpoint if is_at_beginning else structs.replace(checkpoint, message=checkpoint.message + 1)


def _moved(checkpoint: Checkpoint, characters: int) -> Checkpoint:
    """A checkpoint in the first message, which has more characters before it now."""
    if checkpoint.message or not checkpoint.characters:
        return checkpoint
    return structs.replace(checkpoint, characters=checkpoint.characters + characters)


def _joined(options: Mapping[str, Option], own: Mapping[str, Option]) -> tuple[tuple[str, Option], ...]:
    return tuple({**options, **own}.items())
