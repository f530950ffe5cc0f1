"""Whether and how an answer reasons, as far as its prompt decides it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ReasoningState:
    """The markers of the reasoning, and whether the prompt has opened or closed it already."""

    opening: str
    closing: str
    is_open: bool = False
    is_closed: bool = False
