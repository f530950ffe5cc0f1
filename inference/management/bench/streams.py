"""The decode speed of several streams together, against mlx_lm.server and the BatchGenerator alone."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from inference.management.bench import prompts
from inference.management.bench.bench import Bench
from inference.management.bench.figures import Aim, Figure, figure
from inference.management.bench.peers import MLX_LM
from inference.management.bench.raw import Raw, RawRound
from inference.management.bench.timed_answer import AnswerRound

_COUNTS, _QUICK_COUNTS = (1, 4, 8, 16), (1, 8)
_TOKENS, _QUICK_TOKENS = 32, 12
_WITH_RAW = (1, 8)
_UNIT = "tok/s"
_AIMS = {1: Aim(sign=">=", value=1.0), 8: Aim(sign=">=", value=1.15), 16: Aim(sign=">=", value=1.15)}
_RAW_AIMS = {1: Aim(sign=">=", value=0.97)}


def measure(bench: Bench) -> Iterator[Figure]:
    counts = _QUICK_COUNTS if bench.is_quick else _COUNTS
    for count in counts:
        yield from _at(bench, count)


def _at(bench: Bench, count: int) -> list[Figure]:
    tokens = _QUICK_TOKENS if bench.is_quick else _TOKENS
    rounds = bench.alternate(
        f"streams, {count} at once",
        lambda: [prompts.short(tokens) for _ in range(count)],
        with_raw=count in _WITH_RAW,
    )
    against = [name for name in rounds if name != bench.ours.name] or [""]
    return [of for name in against for of in _figures(rounds, name, count, tokens)]


def _figures(rounds: Mapping[str, Sequence[Any]], against: str, count: int, tokens: int) -> list[Figure]:
    ours, other = rounds["ours"], rounds.get(against, [])
    aim = {"": _AIMS, MLX_LM: _AIMS, Raw.name: _RAW_AIMS}.get(against, {}).get(count)
    shared: dict[str, Any] = {
        "against": against,
        "aim": aim,
        "notes": notes({"ours": ours, against: other}, tokens),
    }
    title = f"{count} stream{'s' if count > 1 else ''}"
    return [
        figure("streams", f"{title}, decode", _UNIT, decode_rates(ours), decode_rates(other), **shared),
        figure(
            "streams", f"{title}, whole request", _UNIT, request_rates(ours), request_rates(other), **shared
        ),
    ]


def decode_rates(rounds: Sequence[AnswerRound | RawRound]) -> list[float | None]:
    return [one.decode_rate for one in rounds]


def request_rates(rounds: Sequence[AnswerRound | RawRound]) -> list[float | None]:
    return [one.request_rate for one in rounds]


def notes(rounds: Mapping[str, Sequence[AnswerRound | RawRound]], tokens: int) -> list[str]:
    """Notes about what makes the figures doubtful: failed requests, and answers that ended early."""
    found = []
    for name, of_one in rounds.items():
        for one in (one for one in of_one if isinstance(one, AnswerRound)):
            found += one.notes(name)
            early = sum(answer.tokens < tokens for answer in one.answers)
            found += [f"{name}: {early} of {len(one.answers)} answers ended before {tokens} tokens"] * bool(
                early
            )
    return found
