"""Streams with a seed each: they stay in the batch here, while mlx_lm.server runs them one by one."""

from inference.management.bench import prompts
from inference.management.bench.bench import Bench
from inference.management.bench.figures import Aim, Figure, figure
from inference.management.bench.peers import MLX_LM
from inference.management.bench.streams import decode_rates, notes, request_rates

_STREAMS = 8
_TOKENS, _QUICK_TOKENS = 16, 4
_AIM = Aim(sign=">=", value=3)


def measure(bench: Bench) -> list[Figure]:
    tokens = _QUICK_TOKENS if bench.is_quick else _TOKENS
    rounds = bench.alternate(
        f"seeded, {_STREAMS} at once",
        lambda: [prompts.short(tokens, seed=1 + number) for number in range(_STREAMS)],
    )
    ours, other = rounds["ours"], [one for name in rounds if name != "ours" for one in rounds[name]]
    against = bench.theirs.name if bench.theirs else ""
    remarks = notes(rounds, tokens)
    title = f"{_STREAMS} streams with seeds"
    return [
        figure(
            "seeded",
            f"{title}, {kind}",
            "tok/s",
            rates(ours),
            rates(other),
            against=against,
            aim=_AIM if against in ("", MLX_LM) else None,
            notes=remarks,
        )
        for kind, rates in (("decode", decode_rates), ("whole request", request_rates))
    ]
