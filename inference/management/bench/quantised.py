"""A 4-bit model with both servers as a user starts them: mlx_lm.server gets no BLAS here."""

from collections.abc import Iterator
from pathlib import Path

from inference.core.mlx_device import is_cpu
from inference.management.bench import prompts
from inference.management.bench.bench import Bench, report_progress
from inference.management.bench.figures import Aim, Figure, figure
from inference.management.bench.peers import MLX_LM, StartedPeer, peer_command
from inference.management.bench.servers import Ours, Server
from inference.management.bench.timed_answer import AnswerRound

_TOKENS, _QUICK_TOKENS = 24, 12
_THEIR_TOKENS, _THEIR_QUICK_TOKENS = 6, 4  # up to five seconds each, and as much for parts of the prompt
_LIMIT_S = 240.0
_AIM = Aim(sign=">=", value=30)
# On a CPU the type of the scales decides: half precision is computed in software there.
_TYPES, _QUICK_TYPES = ("float16", "bfloat16"), ("bfloat16",)


def measure(bench: Bench) -> Iterator[Figure]:
    """One round each, which is enough for a factor of thirty."""
    bench.close()  # idle servers use memory, and sometimes a core
    types = _QUICK_TYPES if bench.is_quick else _TYPES
    if bench.models.has_quantised:
        types = ("as given",)
    for dtype in types:
        yield from _of_type(bench, dtype)


def _of_type(bench: Bench, dtype: str) -> list[Figure]:
    report_progress(f"quantised: {dtype}")
    model = bench.models.quantised(dtype)
    rounds = {}
    for server, tokens in _servers(bench, model):
        with server:
            server.ask(model, [_request(1)] * (server.name == "ours"))
            rounds[server.name] = server.ask(model, [_request(tokens)], limit_s=_LIMIT_S)
    ours, theirs = rounds["ours"], rounds.get(MLX_LM)
    notes = [note for name, one in rounds.items() for note in one.failure_notes(name)]
    return [
        figure(
            "quantised",
            f"4 bits, {dtype}, {kind}",
            "tok/s",
            [rate(ours)],
            [rate(theirs)] if theirs else [],
            against=MLX_LM,
            aim=_AIM if is_cpu() else None,
            notes=notes,
        )
        for kind, rate in (("decode", _decode_rate), ("whole request", _request_rate))
    ]


def _servers(bench: Bench, model: Path) -> list[tuple[Server, int]]:
    ours: Server = Ours(bench.models.folder, bench.scratch)
    theirs: Server = StartedPeer(peer_command(MLX_LM), str(model), bench.scratch, None)
    is_quick = bench.is_quick
    both = [
        (ours, _QUICK_TOKENS if is_quick else _TOKENS),
        (theirs, _THEIR_QUICK_TOKENS if is_quick else _THEIR_TOKENS),
    ]
    return both if bench.against == MLX_LM else both[:1]


def _request(tokens: int) -> dict[str, object]:
    """A short prompt: mlx_lm.server may take seconds for each of its tokens."""
    return {"messages": [prompts.user("Hi")], "max_tokens": tokens, "temperature": 0}


def _decode_rate(one: AnswerRound) -> float | None:
    return one.decode_rate


def _request_rate(one: AnswerRound) -> float | None:
    return one.request_rate
