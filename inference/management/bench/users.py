"""Many users: chats of mixed lengths that arrive at random, and how many are answered in time.

Arrivals are a Poisson process and lengths are drawn from a fixed seed, so that every server and every run
gets the same load. The rate is chosen by our own speed on this machine: the load is what it can just bear.
Goodput counts the tokens of answers whose first token came within the limit.
"""

import random
from dataclasses import dataclass
from statistics import median
from typing import Any

from inference.management.bench import prompts
from inference.management.bench.bench import Bench
from inference.management.bench.figures import Figure, figure
from inference.management.bench.servers import Server
from inference.management.bench.timed_answer import AnswerRound

_USERS, _QUICK_USERS = 24, 6
_SEED = 20240607
_WORDS = (10, 40, 120, 400)  # of a prompt, each as often
_TOKENS, _QUICK_TOKENS = (8, 16, 32, 64), (4, 8)
_LOAD = 0.7  # of the rate at which one user after the other could be served
_LIMIT_FACTOR = 4.0  # the limit for a first token: so many times the wait of a lone chat of the largest size
_LEAST_LIMIT_S = 1.0


@dataclass(frozen=True)
class UserLoad:
    """What all users ask in one round; `limit_s` is for the first token."""

    bodies: tuple[dict[str, Any], ...]
    arrivals: tuple[float, ...]  # seconds
    limit_s: float


def measure(bench: Bench) -> list[Figure]:
    alone_s, limit_s = _alone(bench)
    rounds: dict[str, list[AnswerRound]] = {server.name: [] for server in bench.servers}
    users = _QUICK_USERS if bench.is_quick else _USERS
    for number in bench.repetitions(f"users, {users}"):
        for server in bench.servers:
            load = load_of(users, _LOAD / alone_s, limit_s, seed=_SEED + number, is_quick=bench.is_quick)
            rounds[server.name].append(_run(bench, server, load))
    theirs = bench.theirs.name if bench.theirs else ""
    notes = [note for name, of in rounds.items() for one in of for note in one.notes(name)]
    notes.append(
        f"{users} chats, {_LOAD / alone_s:.2f} a second on average; first token within {limit_s:.1f} s"
    )
    kinds = (
        ("goodput", "tok/s", lambda one: goodput(one, limit_s)),
        ("answered in time", "%", lambda one: 100 * share_in_time(one, limit_s)),
        ("first token, median", "s", _median_wait),
        ("all tokens", "tok/s", lambda one: one.request_rate),
    )
    return [
        figure(
            "users",
            what,
            unit,
            [value(one) for one in rounds["ours"]],
            [value(one) for one in rounds.get(theirs, [])],
            against=theirs,
            notes=notes,
        )
        for what, unit, value in kinds
    ]


def load_of(users: int, rate: float, limit_s: float, *, seed: int, is_quick: bool = False) -> UserLoad:
    """The chats and arrival times of `users` at `rate` per second; only the salts of prompts differ."""
    draw = random.Random(seed)  # noqa: S311
    arrivals, at = [], 0.0
    bodies = []
    for _ in range(users):
        arrivals.append(at)
        at += draw.expovariate(rate)
        words, tokens = draw.choice(_WORDS), draw.choice(_QUICK_TOKENS if is_quick else _TOKENS)
        bodies.append(prompts.long(words, tokens))
    return UserLoad(tuple(bodies), tuple(arrivals), limit_s)


def goodput(one: AnswerRound, limit_s: float) -> float | None:
    """Tokens a second of the answers that began in time; None if nothing was answered."""
    if not one.answers:
        return None
    sent, ended = min(a.sent for a in one.answers), max(a.ended for a in one.answers)
    return sum(a.tokens for a in one.answers if a.first_after_s <= limit_s) / (ended - sent)


def share_in_time(one: AnswerRound, limit_s: float) -> float:
    """The share of all requests, failed ones included, whose answer began in time."""
    total = len(one.answers) + len(one.failures)
    return sum(answer.first_after_s <= limit_s for answer in one.answers) / max(1, total)


def _alone(bench: Bench) -> tuple[float, float]:
    """Seconds that our server takes for an average chat alone, and the limit for a first token."""
    largest = max(_WORDS)
    answered = bench.ours.ask(bench.models.first, [prompts.long(largest, 8)])
    if not answered.answers:
        return 1.0, _LEAST_LIMIT_S
    (answer,) = answered.answers
    per_token = (answer.ended - answer.first) / max(1, answer.tokens - 1)
    tokens = _QUICK_TOKENS if bench.is_quick else _TOKENS
    prefill_s = answer.first_after_s * sum(_WORDS) / len(_WORDS) / largest
    alone_s = prefill_s + per_token * sum(tokens) / len(tokens)
    return max(alone_s, 0.01), max(_LEAST_LIMIT_S, _LIMIT_FACTOR * answer.first_after_s)


def _run(bench: Bench, server: Server, load: UserLoad) -> AnswerRound:
    return server.ask(bench.models.first, load.bodies, after_s=load.arrivals)


def _median_wait(one: AnswerRound) -> float | None:
    return median(answer.first_after_s for answer in one.answers) if one.answers else None
