"""The time to the first token of a long chat, and of its second turn, whose prompt is mostly cached."""

from inference.management.bench import prompts
from inference.management.bench.bench import Bench
from inference.management.bench.figures import Aim, Figure, figure
from inference.management.bench.servers import Server
from inference.management.bench.timed_answer import TimedAnswer

_WORDS, _QUICK_WORDS = 960, 200
_TOKENS = 8
_AIM = Aim(sign="<=", value=0.15)
_UNIT = "s"
Turns = tuple[TimedAnswer, TimedAnswer] | None


def measure(bench: Bench) -> list[Figure]:
    turns: dict[str, list[Turns]] = {server.name: [] for server in bench.servers}
    notes: list[str] = []
    for _ in bench.repetitions("ttft"):
        for server in bench.servers:
            both, remarks = _two_turns(bench, server)
            turns[server.name].append(both)
            notes += remarks
    theirs = bench.theirs.name if bench.theirs else ""
    ours, other = turns["ours"], turns.get(theirs, [])
    cold, second = (
        figure("ttft", what, _UNIT, _waits(ours, turn), _waits(other, turn), against=theirs, notes=notes)
        for turn, what in enumerate(("first token, cold", "first token, second turn"))
    )
    return [cold, second, *(_share(name, of) for name, of in turns.items())]


def _two_turns(bench: Bench, server: Server) -> tuple[Turns, list[str]]:
    first = prompts.long(_QUICK_WORDS if bench.is_quick else _WORDS, _TOKENS)
    cold = server.ask(bench.models.first, [first])
    if not cold.answers:
        return None, cold.failure_notes(server.name)
    second = server.ask(bench.models.first, [prompts.next_turn(first, cold.answers[0].text)])
    if not second.answers:
        return None, second.failure_notes(server.name)
    turns = cold.answers[0], second.answers[0]
    sizes = " and ".join(f"{turn.prompt_tokens} ({turn.cached_tokens} cached)" for turn in turns)
    return turns, [*second.notes(server.name), f"{server.name}: prompts of {sizes} tokens"]


def _waits(turns: list[Turns], which: int) -> list[float | None]:
    return [both[which].first_after_s if both else None for both in turns]


def _share(name: str, turns: list[Turns]) -> Figure:
    """The ratio of the second turn's wait to the first's, with the same server."""
    return figure(
        "ttft",
        f"second turn to cold, {name}",
        _UNIT,
        _waits(turns, 1),
        _waits(turns, 0),
        against="cold",
        aim=_AIM if name == "ours" else None,
    )
