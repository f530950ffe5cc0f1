"""Requests of several kinds, with and without drafts: drafts that are seldom right cost next to nothing."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from inference.management.bench import agents, edit, prompts
from inference.management.bench.bench import Bench
from inference.management.bench.figures import Aim, Figure, figure
from inference.management.bench.streams import decode_rates, notes
from inference.management.bench.timed_answer import AnswerRound

_TOKENS, _QUICK_TOKENS = 48, 8
_TURNS = 6
_AIM = Aim(sign=">=", value=0.97)
_PLAIN = "ours without drafts"
Bodies = list[dict[str, Any]]


def measure(bench: Bench) -> Iterator[Figure]:
    tokens = _QUICK_TOKENS if bench.is_quick else _TOKENS
    for title, requests in kinds(tokens).items():
        yield _figure(bench, title, requests, tokens)


def kinds(tokens: int) -> dict[str, Callable[[], Bodies]]:
    """By title, what makes new requests of a kind, with answers of so many tokens."""
    return {
        "1 story": lambda: [prompts.short(tokens)],
        "8 stories": lambda: [prompts.short(tokens) for _ in range(8)],
        "8 stories with seeds": lambda: [prompts.short(tokens, seed=1 + number) for number in range(8)],
        "1 long prompt": lambda: [prompts.long(400, tokens)],
        "4 long prompts": lambda: [prompts.long(400, tokens) for _ in range(4)],
        "1 turn of an agent": lambda: [_turn(tokens)],
        "1 edit": lambda: [edit.edit_of("Anna", tokens)],
    }


def _turn(tokens: int) -> dict[str, Any]:
    return agents.with_salt(agents.texts(_TURNS)[-1:])[0] | {"max_tokens": tokens}


def _figure(bench: Bench, title: str, requests: Callable[[], Bodies], tokens: int) -> Figure:
    rounds: dict[str, list[AnswerRound]] = {"ours": [], _PLAIN: []}
    for _ in bench.repetitions(f"drafts, {title}"):
        bodies = requests()
        rounds["ours"].append(bench.ours.ask(bench.models.first, bodies))
        rounds[_PLAIN].append(bench.ours.ask(bench.models.first, without_drafts(bodies)))
    return figure(
        "drafts",
        f"{title}, decode",
        "tok/s",
        decode_rates(rounds["ours"]),
        decode_rates(rounds[_PLAIN]),
        against=_PLAIN,
        aim=_AIM,
        notes=notes(rounds, tokens),
    )


def without_drafts(bodies: Sequence[dict[str, Any]]) -> Bodies:
    """The same requests, computed one token a step."""
    return [body | {"speculative": False} for body in bodies]
