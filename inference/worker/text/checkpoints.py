"""Where the checkpoints of a request are in its prompt, in tokens.

A checkpoint is a place in a message. What a prompt shares with another one that differs from there on depends
on template and tokenizer, so it is tried: the prompt is rendered once more with other text behind the place,
and the checkpoint is where the two prompts part.
"""

from collections.abc import Callable, Sequence
from itertools import takewhile

from msgspec import structs

from inference.core.requests import PICTURE, ChatRequest, Checkpoint

_OTHER_TEXTS = ("~", "|")  # no template trims them, and no text begins with both


def positions(
    request: ChatRequest, prompt: Sequence[int], render: Callable[[ChatRequest], list[int]]
) -> tuple[int, ...]:
    """The checkpoints of `request` in its prompt, which `render` returned; those at its end are left out."""
    altered = (_altered(request, one) for one in request.checkpoints if one.message < len(request.messages))
    found = {_common(prompt, render(one)) for one in altered}
    return tuple(sorted(at for at in found if 0 < at < len(prompt) - 1))


def _altered(request: ChatRequest, checkpoint: Checkpoint) -> ChatRequest:
    """The request with another text behind a checkpoint; templates look at later ones, too."""
    messages = list(request.messages)
    message = messages[checkpoint.message]
    text, rest = message.content[: checkpoint.characters], message.content[checkpoint.characters :]
    other = next(one for one in _OTHER_TEXTS if not rest.startswith(one))
    pictures = message.pictures[: text.count(PICTURE)]
    messages[checkpoint.message] = structs.replace(message, content=text + other, pictures=pictures)
    return structs.replace(request, messages=tuple(messages), checkpoints=())


def _common(one: Sequence[int], other: Sequence[int]) -> int:
    """How many tokens two prompts begin with alike."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))
