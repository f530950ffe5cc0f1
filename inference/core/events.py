"""The events of a request, which cross threads and processes: frozen, with no imports of behaviour.

They are msgspec structs rather than dataclasses because the same objects travel as frames between
the site and its workers (protocol.py) and are encoded into server-sent events.
"""

from typing import Literal

from msgspec import Struct

from inference.core.load_progress import LoadPhase
from inference.core.requests import Sampling

FinishReason = Literal["stop", "length", "tool_calls"]


class Usage(Struct, frozen=True, kw_only=True):
    """Token counts of one request; cached tokens are part of the prompt's, reasoning of the completion's."""

    prompt_tokens: int
    completion_tokens: int = 0
    cached_tokens: int = 0
    reasoning_tokens: int = 0
    reasoning_truncated: bool = False  # whether a budget has ended the reasoning of an answer
    drafted_tokens: int = 0  # tokens that were tried before their turn, because they had followed before
    accepted_tokens: int = 0  # those of them that came out
    predicted_tokens: int | None = None  # those that came from the request's prediction; None: it had none
    accepted_predicted_tokens: int = 0


class Timings(Struct, frozen=True, kw_only=True):
    """Seconds the worker spent on each phase of one request; those it was paused count in none of them."""

    queue_s: float = 0.0
    prefill_s: float = 0.0
    decode_s: float = 0.0
    paused_s: float = 0.0


class Progress(Struct, frozen=True, kw_only=True, tag="progress"):
    """What the request is waiting for; `done` of `total` in phases that have a measure (else 0 of 0).

    In the queue these are its place, from 1 on, and how many wait; `own` answers of its account's earlier
    requests are why others are served before it. A request is paused while memory for the rest of its
    answers is missing.
    """

    phase: Literal["queued", "loading", "prefill", "paused"]
    done: int = 0
    total: int = 0
    cached: int = 0  # of `done`, tokens whose prefix was in the cache
    load_phase: LoadPhase | Literal[""] = ""  # of a load
    own: int = 0  # answers of its account's earlier requests, which run or wait


class Accepted(Struct, frozen=True, kw_only=True, tag="accepted"):
    """The loaded model can serve this request: from here on nothing is refused."""

    prompt_tokens: int
    max_tokens: int = 0  # how long the answer may become
    sampling: Sampling = Sampling()  # what its tokens are drawn with, completed; empty where none are drawn
    answer_limit: int = 0  # how many tokens the longest of its answers may have
    noted: tuple[str, ...] = ()  # fields of the request that this model has no use for
    best_effort: tuple[str, ...] = ()  # fields that are followed as far as this model can, and not enforced
    prompts: tuple[tuple[int, ...], ...] = ()  # token ids of each prompt, where they were asked for
    cut_tokens: int = 0  # tokens that were cut off the beginnings of the prompts


class TokenLogprob(Struct, frozen=True, kw_only=True):
    """A token with its log probability, and the likeliest ones in its place, likeliest first."""

    text: str
    bytes: tuple[int, ...]  # what the token stands for: not always whole characters
    logprob: float | None  # None for the first token of a prompt: nothing comes before it
    top: tuple["TokenLogprob", ...] = ()
    id: int | None = None  # of a prompt's tokens and their alternatives alone
    rank: int | None = None  # the same: 1 for the likeliest in its place


class PromptLogprobs(Struct, frozen=True, kw_only=True, tag="prompt_logprobs"):
    """The next log probabilities of a prompt's tokens."""

    logprobs: tuple[TokenLogprob, ...]
    prompt: int = 0  # which of the request's prompts


class TextDelta(Struct, frozen=True, kw_only=True, tag="text"):
    """The next piece of visible answer text."""

    text: str
    index: int = 0  # which of the request's answers it belongs to
    tokens: int = 1  # how many tokens it took since the last delta
    logprobs: tuple[TokenLogprob, ...] = ()  # of those tokens, where they were asked for
    ids: tuple[int, ...] = ()  # of those tokens, where they were asked for


class ReasoningDelta(Struct, frozen=True, kw_only=True, tag="reasoning"):
    """The next piece of the model's reasoning, kept apart from the answer."""

    text: str
    index: int = 0
    tokens: int = 1
    logprobs: tuple[TokenLogprob, ...] = ()
    ids: tuple[int, ...] = ()


class ToolCallDelta(Struct, frozen=True, kw_only=True, tag="tool_call"):
    """The beginning of a call, which has its id and name, or the next piece of its arguments."""

    call: int  # which of the answer's calls
    id: str = ""
    name: str = ""
    text: str = ""  # of the arguments, as JSON
    index: int = 0
    tokens: int = 1
    logprobs: tuple[TokenLogprob, ...] = ()
    ids: tuple[int, ...] = ()


class Ended(Struct, frozen=True, kw_only=True, tag="ended"):
    """One of the request's answers is complete."""

    reason: FinishReason
    index: int = 0
    stop: str = ""  # the stop string that ended it; empty where none did
    ids: tuple[int, ...] = ()  # of the tokens since the last delta, where they were asked for
    is_reasoning_cut: bool = False  # whether a budget ended the reasoning


class Tokenized(Struct, frozen=True, kw_only=True, tag="tokenized"):
    """The prompts' token ids and text, as the model would be given them."""

    tokens: tuple[tuple[int, ...], ...]
    texts: tuple[str, ...]
    context_length: int
    pieces: tuple[tuple[bytes, ...], ...] = ()  # what each token stands for, where that was asked for
    entries: tuple[tuple[str, ...], ...] = ()  # and how the vocabulary writes it


class Embedded(Struct, frozen=True, kw_only=True, tag="embedded"):
    """One vector for each input: little-endian 32-bit floats."""

    vectors: tuple[bytes, ...]


class Reranked(Struct, frozen=True, kw_only=True, tag="reranked"):
    """The score of each document, from 0 to 1, in the order of the request."""

    scores: tuple[float, ...]
    cut: int = 0  # documents that were longer than they might be


class Compacted(Struct, frozen=True, kw_only=True, tag="compacted"):
    """A shorter conversation is answered in the place of the one that was sent; the site adds this event."""

    content: str  # what stands for it from now on, as the API's item holds it


class Finished(Struct, frozen=True, kw_only=True, tag="finished"):
    """The one good end of a stream, after every answer has Ended; the other is a raised ServerError."""

    usage: Usage
    timings: Timings = Timings()
    cut_by: Literal["", "memory"] = ""  # what ended its answers before their limit, with the reason "length"


Delta = TextDelta | ReasoningDelta | ToolCallDelta
Event = (
    Progress
    | Accepted
    | PromptLogprobs
    | Compacted
    | Delta
    | Ended
    | Tokenized
    | Embedded
    | Reranked
    | Finished
)
