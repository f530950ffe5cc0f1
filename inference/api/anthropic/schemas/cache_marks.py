"""Where the `cache_control` of a body marks the end of what later requests share.

A mark is a field of a tool, of a block of the system text or of a block of a message. One inside a block, as
in the content of a tool's result, counts at the end of that block.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from inference.api.anthropic.schemas import turns
from inference.api.anthropic.schemas.blocks import TextBlock, ToolUseBlock
from inference.api.anthropic.schemas.tools import ToolBody
from inference.api.anthropic.schemas.turns import Turn
from inference.api.http.strict_schema import Part
from inference.core.requests import Checkpoint

_MOST = 4  # as many as Anthropic takes


def checkpoints(
    system: str | list[TextBlock] | None, conversation: Sequence[Turn], tools: Sequence[ToolBody]
) -> tuple[Checkpoint, ...]:
    """The marks of a body as places in the messages that the model reads.

    Of more than four, these are the first and the latest ones.
    """
    found = [Checkpoint(message=0, characters=0)] if _is_marked(tools) else []
    found += _in_system(system)
    place = 1 if turns.system_text(system) else 0
    for turn in turns.kept(conversation):
        found += _in_turn(turn, place)
        place += len(tuple(turn.messages()))
    unique = tuple(dict.fromkeys(found))
    return unique if len(unique) <= _MOST else (unique[0], *unique[-(_MOST - 1) :])


def _in_system(system: str | list[TextBlock] | None) -> Iterator[Checkpoint]:
    blocks = system if isinstance(system, list) else []
    for end, block in enumerate(blocks, start=1):
        if _is_marked(block) and (text := turns.system_text(blocks[:end])):
            yield Checkpoint(message=0, characters=len(text))


def _in_turn(turn: Turn, place: int) -> Iterator[Checkpoint]:
    """Marks of a turn whose first message is number `place` of all."""
    for end, block in enumerate(turn.blocks, start=1):
        if not _is_marked(block):
            continue
        until = list(turn.model_copy(update={"content": list(turn.blocks[:end])}).messages())
        if isinstance(block, ToolUseBlock):  # calls come last in a message
            yield Checkpoint(message=place + len(until), characters=0)
        elif until:
            yield Checkpoint(message=place + len(until) - 1, characters=len(until[-1].content))


def _is_marked(part: Any) -> bool:
    """Whether there is a mark in a part of a body, or in the parts in it."""
    if isinstance(part, Sequence) and not isinstance(part, str):
        return any(map(_is_marked, part))
    if not isinstance(part, Part):
        return False
    is_marked = getattr(part, "cache_control", None) is not None
    return is_marked or any(_is_marked(getattr(part, name)) for name in type(part).model_fields)
