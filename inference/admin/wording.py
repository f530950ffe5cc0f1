"""The texts of the dashboard and the list of models; the pages and their websockets share them."""

from collections import Counter
from collections.abc import Mapping, Sequence

from inference.core.load_progress import loading_text
from inference.core.model_card import ModelCard
from inference.core.pool_state import ContextFit, ModelState, PoolSnapshot, Pressure, RankState, ResidentModel
from inference.core.text_direction import isolated
from inference.core.units import in_gb
from inference.serving.active_requests import StreamView
from inference.serving.memory_breakdown import Bar
from inference.serving.usage_history import Sample

_WAITING = frozenset({"queued", "loading"})
_MOST_ACCOUNTS = 6
_UNITS = ((86_400, "day"), (3600, "h"), (60, "min"))
_LONGEST_NAME = 80
_PRESSURE: dict[Pressure, str] = {
    "normal": "",
    "shedding": "The system is short of memory: prefix caches are released.",
    "evicting": "The system is short of memory: idle models are unloaded.",
    "refusing": "The system is very short of memory: no more models are loaded.",
}


def duration(seconds: float) -> str:
    """A duration in its largest unit: "12 s", "3 min", "2 days"."""
    for size, unit in _UNITS:
        if seconds >= size:
            number = int(seconds // size)
            return f"{number} {unit}s" if unit == "day" and number > 1 else f"{number} {unit}"
    return f"{max(0, int(seconds))} s"


def short(name: str) -> str:
    """A name for a list: clients may ask for models of any name, with up to 500 characters."""
    if len(name) <= _LONGEST_NAME:
        return name
    return f"{name[: _LONGEST_NAME // 2]}…{name[-_LONGEST_NAME // 2 + 1 :]}"


def size(amount: int) -> str:
    """An amount of bytes: "42 MB", "4.6 GB"; a dash for none."""
    if not amount:
        return "–"
    return in_gb(amount) if amount >= 10**8 else f"{max(1, round(amount / 1e6))} MB"


def context(fit: ContextFit) -> str:
    """The context of a model, and why it is not its own: "6,000 of 131,072: memory"."""
    why = {"memory": f" of {fit.own:,}: memory", "operator": f" of {fit.own:,}: chosen", "model": ""}
    return f"{fit.context:,}{why[fit.limited_by]}"


def context_that_fits(fit: ContextFit) -> str:
    """The longest context that fits now, and alone where that is longer."""
    if not fit.alone:
        return "none, it is too large"
    alone = f"{fit.alone:,} alone"
    return f"{fit.now:,}" if fit.now == fit.alone else f"{fit.now:,} now, {alone}" if fit.now else alone


def caller(stream: StreamView, keys: Mapping[str, str]) -> str:
    """The caller of a request; `keys` has the names of API keys by their prefixes."""
    if stream.principal_kind == "key" and stream.principal:
        return f"key {isolated(keys.get(stream.principal, f'{stream.principal}…'))}"
    if stream.principal:
        return stream.principal
    return "the operator's key" if stream.principal_kind == "key" else "this machine"


def status(stream: StreamView) -> str:
    """What a request is doing or waiting for."""
    match stream.phase:
        case "queued":
            return f"queued, position {stream.done} of {stream.total}" if stream.done else "queued"
        case "loading":
            return f"loading the model, {stream.done} %"
        case "prefill":
            share = stream.total and f"{stream.done:,} of {stream.total:,} tokens"
            return f"processing the prompt, {share}" if share else "processing the prompt"
        case "decode":
            return "generating"
        case "paused":
            return "paused until there is memory for the rest"
    return "finishing"


def state(card: ModelCard | None, resident: ResidentModel) -> str:
    """A model's state, and the reason where it failed or cannot be served."""
    problem = card.problem if card else ""
    if problem and not resident.state.is_in_memory:
        return f"cannot be served: {problem}" if card and card.is_enabled else "disabled"
    is_loading = resident.state == ModelState.LOADING
    state = loading_text(resident.loaded_percent, resident.load_phase) if is_loading else str(resident.state)
    pause = f"; it may start again in {duration(resident.retry_in_s)}" if resident.retry_in_s >= 1 else ""
    reason = f": {resident.reason}" if resident.reason else ""
    last = f"; accepts no further requests: {problem}" if problem else ""
    return f"{state}{reason}{pause}{last}"


def tone(card: ModelCard | None, resident: ResidentModel) -> str:
    """The state that colours the text; a model that was disabled is shown as unloaded, not as failed."""
    if not card or not card.problem or resident.state.is_in_memory:
        return str(resident.state)
    return str(ModelState.FAILED if card.is_enabled else ModelState.UNLOADED)


def queue(streams: Sequence[StreamView], limit: int, now: float) -> str:
    """How many requests are waiting, since when, and how many may."""
    waiting = [stream.began_at for stream in streams if stream.phase in _WAITING]
    if not waiting:
        return "No requests are waiting."
    requests = "1 request is" if len(waiting) == 1 else f"{len(waiting)} requests are"
    longest = duration(now - min(waiting))
    text = f"{requests} waiting for a model, the longest for {longest}; the limit is {limit}."
    return " ".join(filter(None, (text, _shares(streams))))


def _shares(streams: Sequence[StreamView]) -> str:
    """How accounts share the streams while requests wait; empty where there is one account."""
    running: Counter[str] = Counter()
    waiting: Counter[str] = Counter()
    for stream in streams:
        counted = waiting if stream.phase in _WAITING else running
        counted[stream.account or caller(stream, {})] += 1
    accounts = (running + waiting).most_common()
    if len(accounts) < 2:
        return ""
    shown = [f"{name} {running[name]} and {waiting[name]}" for name, _ in accounts[:_MOST_ACCOUNTS]]
    more = f", and {len(accounts) - _MOST_ACCOUNTS} more" if len(accounts) > _MOST_ACCOUNTS else ""
    return f"Streams and waiting requests of each account: {', '.join(shown)}{more}."


def memory(bar: Bar, snapshot: PoolSnapshot) -> str:
    """The memory that models hold, what running answers may come to need, and whether memory is short."""
    text = (
        f"Models hold {size(bar.held)} of {size(bar.limit)}."
        if bar.held
        else f"{size(bar.limit)} for models."
    )
    growth = f"Running answers may need {size(bar.growth)} more." if bar.growth else ""
    return " ".join(filter(None, (text, growth, _PRESSURE[snapshot.pressure])))


def hour(samples: Sequence[Sample], held: int) -> str:
    """The chart as text, for screen readers; `held` is the current value, newer than any sample."""
    if not samples:
        return "The chart starts a few seconds after the server."
    most, rate = max(held, *(s.held for s in samples)), max(s.rate for s in samples)
    return (
        f"Now {_amount(held)} and {samples[-1].rate:.0f} tokens/s; "
        f"in the last hour at most {_amount(most)} and {rate:.0f} tokens/s."
    )


def _amount(held: int) -> str:
    return size(held) if held else "nothing"


def rank_text(rank: RankState) -> str:
    """The process of one rank of a model, and what it holds."""
    where = f" on {rank.host}" if rank.host else ""
    return f"process {rank.pid or '–'}{where}, {size(rank.memory.held)}"
