"""What the other threads ask the engine's thread. Load, Shed, Grant and Pause are frames of the site."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from inference.core.protocol import Grant, Load, Pause, Shed
from inference.worker.embedding.inputs import Inputs

if TYPE_CHECKING:  # a spare worker reads its socket before it has imported MLX
    from inference.worker.engine.sequence import Sequence
    from inference.worker.lora.weights import LoraWeights
    from inference.worker.prefix_cache.entry import PrefixEntry


@dataclass(frozen=True)
class Add:
    """Compute the sequences of one prompt, which is prefilled once, or the inputs of an embedding request."""

    sequences: "tuple[Sequence, ...] | tuple[Inputs]"


@dataclass(frozen=True)
class Limit:
    """Limit the answers of a request, whose sequences are added next, to the tokens that are granted.

    `kv_tokens` are reserved for all of it; if that is too few, it begins paused.
    """

    request: int  # its number in frames
    tokens: int  # that each answer may have
    kv_tokens: int
    sequences: "tuple[Sequence, ...]"


@dataclass(frozen=True)
class Remove:
    """Stop computing a sequence or an embedding request; unknown ids have ended already."""

    id: int


@dataclass(frozen=True)
class EndSequenceThinking:
    """End the reasoning of these sequences of one request now; answered by a callback."""

    request: int  # its number in frames
    ids: tuple[int, ...]


@dataclass(frozen=True)
class Restored:
    """Compute sequences that waited for a prefix from the disk; `entry` is None if it was unreadable."""

    sequences: "tuple[Sequence, ...]"
    entry: "PrefixEntry | None"


@dataclass(frozen=True)
class InstallLora:
    """Put an adapter into the model.

    `then` gets the keys of adapters that were taken out for it, and whether it failed.
    """

    weights: "LoraWeights"
    then: Callable[[Collection[str], bool], None]


@dataclass(frozen=True)
class RemoveLoras:
    """Take these adapters out of the model, but for those that a sequence uses."""

    keys: tuple[str, ...]


class Quit:
    """End the thread."""


Command = (
    Load
    | Limit
    | Add
    | Remove
    | EndSequenceThinking
    | Grant
    | Pause
    | Restored
    | InstallLora
    | RemoveLoras
    | Shed
    | Quit
)
