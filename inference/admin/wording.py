"""How the dashboard says things; the page and its websocket use the same words."""

from collections.abc import Mapping, Sequence

from inference.core.model_card import ModelCard
from inference.core.pool_state import ModelState, PoolSnapshot, Pressure, ResidentModel
from inference.core.units import in_gb
from inference.serving.active_requests import Stream
from inference.serving.memory_breakdown import Bar
from inference.serving.usage_history import Sample

_UNITS = ((86_400, "day"), (3600, "h"), (60, "min"))
_PRESSURE: dict[Pressure, str] = {
    "normal": "",
    "shedding": "The system is short of memory: caches are given up.",
    "evicting": "The system is short of memory: idle models are unloaded.",
    "refusing": "The system is very short of memory: no further model is loaded.",
}


def lasting(seconds: float) -> str:
    """A duration for people, in its largest unit: "12 s", "3 min", "2 days"."""
    for size, unit in _UNITS:
        if seconds >= size:
            number = int(seconds // size)
            return f"{number} {unit}s" if unit == "day" and number > 1 else f"{number} {unit}"
    return f"{max(0, int(seconds))} s"


def size(amount: int) -> str:
    """Bytes for people; a dash for none."""
    if not amount:
        return "–"
    return in_gb(amount) if amount >= 10**8 else f"{max(1, round(amount / 1e6))} MB"


def who(stream: Stream, keys: Mapping[str, str]) -> str:
    """Whose request it is; `keys` has the names of API keys by what they begin with."""
    if stream.principal_kind == "key" and stream.principal:
        return f"key {keys.get(stream.principal, f'{stream.principal}…')}"
    if stream.principal:
        return stream.principal
    return "the operator's key" if stream.principal_kind == "key" else "this machine"


def doing(stream: Stream) -> str:
    """What a request waits for or does."""
    match stream.phase:
        case "queued":
            return f"waiting, place {stream.done} of {stream.total}" if stream.done else "waiting"
        case "loading":
            return f"loading its model, {stream.done} %"
        case "prefill":
            known = stream.total and f"{stream.done:,} of {stream.total:,} tokens"
            return f"reading the prompt, {known}" if known else "reading the prompt"
        case "decode":
            return "answering"
    return "ending"


def state(card: ModelCard | None, resident: ResidentModel) -> str:
    """Where a model is, and why it is not where it should be."""
    problem = card.problem if card else ""
    if problem and not resident.state.is_in_memory:
        return f"cannot be served: {problem}" if card and card.is_enabled else "switched off"
    percent = f" {resident.loaded_percent} %" if resident.state == "loading" else ""
    pause = f"; it may start again in {lasting(resident.retry_in_s)}" if resident.retry_in_s >= 1 else ""
    reason = f": {resident.reason}" if resident.reason else ""
    last = f"; takes no further requests: {problem}" if problem else ""
    return f"{resident.state}{percent}{reason}{pause}{last}"


def tone(card: ModelCard | None, resident: ResidentModel) -> str:
    """How it is said; a model that somebody switched off is at rest, not broken."""
    if not card or not card.problem or resident.state.is_in_memory:
        return str(resident.state)
    return str(ModelState.FAILED if card.is_enabled else ModelState.UNLOADED)


def queue(streams: Sequence[Stream], limit: int, now: float) -> str:
    """How many wait, and for how long the first has."""
    waiting = [stream.began_at for stream in streams if stream.phase in {"queued", "loading"}]
    if not waiting:
        return "Nobody waits for a model."
    requests = "1 request waits" if len(waiting) == 1 else f"{len(waiting)} requests wait"
    return f"{requests} for a model, the first for {lasting(now - min(waiting))}; {limit} may wait."


def held(bar: Bar, snapshot: PoolSnapshot) -> str:
    """The memory in one sentence, and another when it is short."""
    text = (
        f"Models hold {size(bar.held)} of {size(bar.limit)}."
        if bar.held
        else f"{size(bar.limit)} for models."
    )
    return f"{text} {_PRESSURE[snapshot.pressure]}".strip()


def hour(samples: Sequence[Sample], held: int) -> str:
    """What the chart shows, for who cannot see it; what is held now is the bar's, newer than any sample."""
    if not samples:
        return "The chart begins a few seconds after the server."
    most, rate = max(held, *(s.held for s in samples)), max(s.rate for s in samples)
    return (
        f"Now {_amount(held)} and {samples[-1].rate:.0f} tokens/s; "
        f"in the last hour at most {_amount(most)} and {rate:.0f} tokens/s."
    )


def _amount(held: int) -> str:
    return size(held) if held else "nothing"
