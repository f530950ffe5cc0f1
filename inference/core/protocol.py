"""The frames between the site and one worker: four bytes of length, then msgpack.

Down (site to worker): Load, Submit, Cancel, EndThinking, Grant, Pause, CutShort, Shed, DropLoras, Stop. Up
(worker to site): Hello, Loading, Ready, LoadFailed, Step, ThinkingEnded, GrowthWanted, Heartbeat. A submitted
request is answered by exactly one Accepted or one failure, and ends with exactly one Finished or one failure;
all of them travel in Step frames, one for a whole engine step unless it brought very many log probabilities.

Growth: no answer has more tokens than were granted. The worker asks for more before they are used up, and
pauses a request whose grant does not come in time. A paused request goes on with the Grant that answers its
latest GrowthWanted only: the site has then counted that its KV caches are free, and may have become prefixes.
"""

import asyncio
import struct
from typing import Any, Final

import msgspec
from msgspec import Struct

from inference.core.cpu_tuning import ShapeClass
from inference.core.errors import LoadFailure
from inference.core.events import Event
from inference.core.load_progress import LoadProgress
from inference.core.model_card import Finding
from inference.core.pool_state import Loaded, Memory
from inference.core.refusal import Refusal
from inference.core.requests import Request

VERSION: Final = 6
MAX_FRAME_BYTES: Final = 64 * 1024 * 1024
_LENGTH = struct.Struct(">I")


class Load(Struct, frozen=True, kw_only=True, tag="load"):
    """Load this model folder; sent once in a worker's life."""

    model: str
    path: str
    adapter: str = ""  # by name; empty: the first that fits
    device: str = "auto"  # "auto", "cpu", "gpu"
    max_batch: int = 32
    prefill_step: int = 512
    max_output_tokens: int = 0  # of any answer; 0: as many as the context allows
    context_limit: int | None = None
    wired_limit: int = 0
    prepare_limit_s: float = 20.0  # for rendering and tokenising one prompt
    prefix_cache_bytes: int = 0  # 0: keep no prefixes
    prefix_disk_path: str = ""  # where prefixes are spilled to; empty: nowhere
    prefix_disk_bytes: int = 0
    kv_bits: int = 0  # of quantised KV caches: 8 or 4; 0: they stay whole
    picture_tokens: int = 4096  # at most, of one picture: a larger one is made smaller
    has_exact_seeds: bool = False  # compute seeded requests by themselves
    by_row: tuple[ShapeClass, ...] = ()  # weights of these classes are stored by row on a CPU
    speculation: str = "off"  # "lookup": answers may be drafted from their own prompts
    draft_model: str = ""  # the id of a smaller model that drafts as well; empty: none
    draft_path: str = ""  # its folder; empty: there is none
    ranks: int = 1  # processes that compute the model together
    ranks_backend: str = "ring"  # how they exchange their sums
    batch_support_path: str = ""  # where results of the batch verification are kept; empty: nowhere


class Submit(Struct, frozen=True, kw_only=True, tag="submit"):
    id: int
    request: Request
    owner: str = ""  # whose prefix cache may be read and added to
    tokens: int | None = None  # that each answer may have until more are granted; None: any number
    kv_tokens: int = 0  # that are reserved for its prompts and answers together


class Cancel(Struct, frozen=True, kw_only=True, tag="cancel"):
    id: int


class EndThinking(Struct, frozen=True, kw_only=True, tag="end_thinking"):
    """End the reasoning of a request's answers now, so that they begin; answered by ThinkingEnded."""

    id: int


class Grant(Struct, frozen=True, kw_only=True, tag="grant"):
    """Each answer of a request may have so many tokens in all; a paused one goes on."""

    id: int
    wish: int  # the number of the GrowthWanted that it answers
    tokens: int


class Pause(Struct, frozen=True, kw_only=True, tag="pause"):
    """Give up the KV caches of a request until its next Grant; answered by GrowthWanted."""

    id: int


class CutShort(Struct, frozen=True, kw_only=True, tag="cut_short"):
    """End the answers of a request where they are, for a lack of memory; answered by its Finished."""

    id: int


class Shed(Struct, frozen=True, kw_only=True, tag="shed"):
    """Shrink the prefix cache to this many bytes; answered by a Heartbeat."""

    keep_bytes: int = 0


class DropLoras(Struct, frozen=True, kw_only=True, tag="drop_loras"):
    """Drop these adapters, which no request uses; answered by a Heartbeat."""

    names: tuple[str, ...]


class Stop(Struct, frozen=True, kw_only=True, tag="stop"):
    """End now; every running sequence is dropped."""


class Hello(Struct, frozen=True, kw_only=True, tag="hello"):
    """The worker's imports are done and it can load."""

    version: int
    pid: int
    memory: Memory
    device_bytes: int = 0  # what the device may use at most: Metal's recommended working set; 0 unknown


class Loading(Struct, frozen=True, kw_only=True, tag="loading"):
    progress: LoadProgress


class Ready(Struct, frozen=True, kw_only=True, tag="ready"):
    loaded: Loaded


class LoadFailed(Struct, frozen=True, kw_only=True, tag="load_failed"):
    reason: str  # for people
    kind: LoadFailure


class Happened(Struct, frozen=True, kw_only=True):
    """One thing that happened to one request."""

    id: int
    what: Event | None = None
    failure: Refusal | None = None


class Step(Struct, frozen=True, kw_only=True, tag="step"):
    """What one step of the engine brought, for all of its requests; several frames where that is much."""

    happened: tuple[Happened, ...]


class ThinkingEnded(Struct, frozen=True, kw_only=True, tag="thinking_ended"):
    """In how many answers of the request the reasoning ends now: 0 where none is in its reasoning."""

    id: int
    answers: int


class GrowthWanted(Struct, frozen=True, kw_only=True, tag="growth_wanted"):
    """A request wants more tokens for its answers, or waits for a Grant to go on."""

    id: int
    wish: int  # its number, counted for each request
    tokens: int  # that each answer wants to have in all
    made: int  # tokens of its longest answer so far
    answers: int  # that have not ended
    prompt_tokens: int  # in the KV caches of those answers
    is_paused: bool = False  # it holds no KV caches, and nothing of it is computed

    def kv_tokens(self, tokens: int) -> int:
        """Tokens in its KV caches once each answer has so many."""
        return self.prompt_tokens + self.answers * tokens


class Heartbeat(Struct, frozen=True, kw_only=True, tag="heartbeat"):
    """Sent every second: memory figures, and how many steps the engine has done while busy."""

    memory: Memory
    running: int = 0
    steps: int = 0


class Examined(Struct, frozen=True, kw_only=True):
    """What the self-test by itself found of one model; it has a process and a pipe of its own."""

    model: str
    findings: tuple[Finding, ...] = ()


Down = Load | Submit | Cancel | EndThinking | Grant | Pause | CutShort | Shed | DropLoras | Stop
Up = Hello | Loading | Ready | LoadFailed | Step | ThinkingEnded | GrowthWanted | Heartbeat

_encoder = msgspec.msgpack.Encoder()
_down = msgspec.msgpack.Decoder(Down)
_up = msgspec.msgpack.Decoder(Up)


class ProtocolBroken(Exception):
    """The peer sent something that is no frame; the connection is of no further use."""


class FrameTooLarge(Exception):
    """The peer would take this frame for nonsense and end the connection, with everybody's requests."""


def encode(frame: Down | Up) -> bytes:
    """The frame as bytes; raises FrameTooLarge on the sender's side, where one request is the matter."""
    body = _encoder.encode(frame)
    if len(body) > MAX_FRAME_BYTES:
        raise FrameTooLarge(f"frame of {len(body)} bytes")
    return _LENGTH.pack(len(body)) + body


async def read_down(reader: asyncio.StreamReader) -> Down | None:
    """The next frame from the site, or None when the site is gone."""
    body = await _read_body(reader)
    return None if body is None else _decode(_down, body)


async def read_up(reader: asyncio.StreamReader) -> Up | None:
    """The next frame from the worker, or None when the worker is gone."""
    body = await _read_body(reader)
    return None if body is None else _decode(_up, body)


async def _read_body(reader: asyncio.StreamReader) -> bytes | None:
    try:
        (length,) = _LENGTH.unpack(await reader.readexactly(_LENGTH.size))
        if length > MAX_FRAME_BYTES:
            raise ProtocolBroken(f"frame of {length} bytes")
        return await reader.readexactly(length)
    except (asyncio.IncompleteReadError, ConnectionError):
        return None


def _decode(decoder: "msgspec.msgpack.Decoder[Any]", body: bytes) -> Any:
    try:
        return decoder.decode(body)
    except msgspec.MsgspecError as error:
        raise ProtocolBroken(str(error)) from error
