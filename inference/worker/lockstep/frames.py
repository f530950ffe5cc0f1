"""What rank 0 sends the other ranks before each round: four bytes of length, then msgpack.

Only what decides the shapes of a batch is sent. Rank 0 alone samples, so grammars, penalties and seeds stay
with it, and the tokens that it samples reach the others with the sums of the model.
"""

import os
import struct
from collections.abc import Iterable

import msgspec
from msgspec import Struct

from inference.core.protocol import Grant, Load, Pause, Shed
from inference.core.requests import Sampling
from inference.worker.engine.commands import Add, Command, Limit, Remove
from inference.worker.engine.sequence import Sequence

_LENGTH = struct.Struct(">I")


class SentSequence(Struct, frozen=True, array_like=True):
    """A sequence without what only rank 0 needs."""

    id: int
    prompt: tuple[int, ...]
    max_tokens: int
    stop_ids: tuple[int, ...]
    owner: str
    scores_prompt: bool
    answered: tuple[int, ...]
    is_seeded: bool
    checkpoints: tuple[int, ...]
    request: int

    @classmethod
    def of(cls, one: Sequence) -> "SentSequence":
        return cls(
            one.id,
            one.prompt,
            one.max_tokens,
            tuple(sorted(one.stop_ids)),
            one.owner,
            one.scores_prompt,
            one.answered,
            one.sampling.seed is not None,
            one.checkpoints,
            one.request,
        )

    @property
    def sequence(self) -> Sequence:
        """The same for an engine; its tokens are sampled by rank 0, whatever its sampling says."""
        return Sequence(
            id=self.id,
            prompt=self.prompt,
            max_tokens=self.max_tokens,
            sampling=Sampling(temperature=0, seed=0 if self.is_seeded else None),
            stop_ids=frozenset(self.stop_ids),
            owner=self.owner,
            scores_prompt=self.scores_prompt,
            answered=self.answered,
            checkpoints=self.checkpoints,
            request=self.request,
        )


class SentAdd(Struct, frozen=True, tag="add"):
    sequences: tuple[SentSequence, ...]


class SentLimit(Struct, frozen=True, tag="limit"):
    request: int
    tokens: int
    kv_tokens: int
    sequences: tuple[SentSequence, ...]


class SentRemove(Struct, frozen=True, tag="remove"):
    id: int


Sent = Load | Grant | Pause | Shed | SentAdd | SentLimit | SentRemove


class Round(Struct, frozen=True, kw_only=True):
    """One round of the engine: its commands, and what rank 0 has measured and computed before it."""

    commands: tuple[Sent, ...] = ()
    prefill_rate: float | None = None  # measured prompt tokens per second
    digest: int = 0  # of all outputs so far: each rank has to have the same


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Round)


def sent(commands: Iterable[Command]) -> tuple[Sent, ...]:
    """The commands that other ranks carry out, too; the rest is about sampling or about this process."""
    found: list[Sent] = []
    for command in commands:
        match command:
            case Load() | Grant() | Pause() | Shed():
                found.append(command)
            case Add(sequences=sequences):
                found.append(SentAdd(tuple(map(_sent_sequence, sequences))))
            case Limit():
                limited = tuple(map(SentSequence.of, command.sequences))
                found.append(SentLimit(command.request, command.tokens, command.kv_tokens, limited))
            case Remove(id=number):
                found.append(SentRemove(number))
    return tuple(found)


def received(commands: Iterable[Sent]) -> list[Command]:
    """The same as commands for the engine of another rank."""
    found: list[Command] = []
    for command in commands:
        match command:
            case SentAdd(sequences=sequences):
                found.append(Add(tuple(one.sequence for one in sequences)))
            case SentLimit():
                limited = tuple(one.sequence for one in command.sequences)
                found.append(Limit(command.request, command.tokens, command.kv_tokens, limited))
            case SentRemove(id=number):
                found.append(Remove(number))
            case _:
                found.append(command)
    return found


def write(fd: int, frame: Round) -> None:
    """Write a round to a pipe or socket; raises OSError when the other rank is gone."""
    body = _encoder.encode(frame)
    data = memoryview(_LENGTH.pack(len(body)) + body)
    while data:
        data = data[os.write(fd, data) :]


def read(fd: int) -> Round | None:
    """The next round; None when rank 0 is gone. Raises msgspec.MsgspecError for what is none."""
    head = _read_exactly(fd, _LENGTH.size)
    body = _read_exactly(fd, *_LENGTH.unpack(head)) if head else b""
    return _decoder.decode(body) if body else None


def _read_exactly(fd: int, size: int) -> bytes:
    """So many bytes; none at the end of the stream."""
    parts = bytearray()
    while len(parts) < size:
        part = os.read(fd, size - len(parts))
        if not part:
            return b""
        parts += part
    return bytes(parts)


def _sent_sequence(one: object) -> SentSequence:
    if not isinstance(one, Sequence):
        raise TypeError("An embedding model has one rank.")
    return SentSequence.of(one)
