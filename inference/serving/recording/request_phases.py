"""The phases of a request that is over: what it waited for, and what it was computed with."""

from collections.abc import Iterator

from msgspec import Struct

from inference.models.request_record import RequestRecord


class Phase(Struct, frozen=True, kw_only=True):
    """One phase: its duration in milliseconds, and what there is to say of it."""

    name: str
    ms: int
    note: str = ""


def total_ms(record: RequestRecord) -> int:
    return sum(phase.ms for phase in phases(record))


def phases(record: RequestRecord) -> tuple[Phase, ...]:
    """In the order in which they begin; pauses interrupt prefill and decode, and are shown after them."""
    return (
        Phase(name="queued", ms=record.queued_ms, note=_why_it_waited(record)),
        Phase(
            name="loading",
            ms=record.loading_ms,
            note="The model was not in memory." * bool(record.loading_ms),
        ),
        Phase(name="prefill", ms=record.prefill_ms, note=_prompt(record)),
        Phase(name="decode", ms=record.decode_ms, note=_answer(record)),
        Phase(
            name="paused",
            ms=record.paused_ms,
            note="Until there was memory for the rest of its answer." * bool(record.paused_ms),
        ),
    )


def _why_it_waited(record: RequestRecord) -> str:
    return " ".join(_reasons(record))


def _reasons(record: RequestRecord) -> Iterator[str]:
    if record.queue_place:
        yield f"It began at position {record.queue_place} in the queue."
    if record.own_ahead:
        answers = "an earlier answer" if record.own_ahead == 1 else f"{record.own_ahead} earlier answers"
        yield f"Its account had {answers}, so others were served first."


def _prompt(record: RequestRecord) -> str:
    new = max(0, record.prompt_tokens - record.cached_tokens)
    cached = f", {record.cached_tokens:,} more were cached" if record.cached_tokens else ""
    return f"{_tokens(new)}{_rate(new, record.prefill_ms)}{cached}" if record.prompt_tokens else ""


def _answer(record: RequestRecord) -> str:
    if not record.completion_tokens:
        return ""
    drafted = (
        f", {record.accepted_tokens:,} of {record.drafted_tokens:,} drafted tokens were accepted"
        if record.drafted_tokens
        else ""
    )
    rate = _rate(record.completion_tokens, record.decode_ms)
    return f"{_tokens(record.completion_tokens)}{rate}{drafted}"


def _tokens(number: int) -> str:
    return "1 token" if number == 1 else f"{number:,} tokens"


def _rate(tokens: int, ms: int) -> str:
    return f" at {1000 * tokens / ms:,.0f} tokens/s" if tokens and ms else ""
