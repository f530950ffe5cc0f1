"""The Step frames of one engine step, each of a size that the site reads without a pause for others."""

from collections.abc import Iterator

from inference.core.events import PromptLogprobs, ReasoningDelta, TextDelta, ToolCallDelta
from inference.core.protocol import Happened

_MAX_LOGPROBS = 16_384  # in one frame, alternatives included: about a megabyte


def split_into_frames(happened: list[Happened]) -> Iterator[list[Happened]]:
    """Split the events of one step wherever a frame has reached its number of log probabilities."""
    frame: list[Happened] = []
    logprobs = 0
    for item in happened:
        frame.append(item)
        logprobs += _logprobs_in(item)
        if logprobs >= _MAX_LOGPROBS:
            yield frame
            frame, logprobs = [], 0
    if frame:
        yield frame


def _logprobs_in(item: Happened) -> int:
    if not isinstance(item.what, PromptLogprobs | TextDelta | ReasoningDelta | ToolCallDelta):
        return 0
    return sum(1 + len(token.top) for token in item.what.logprobs)
