"""A request that is paused and computed again goes on to the same tokens, whatever its tokens depend on."""

import itertools
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import mlx.nn as nn
import pytest

from inference.worker.engine.batch import Batch
from inference.worker.engine.recovery import ResilientBatch
from inference.worker.engine.sequence import Sampled, Sequence
from inference.worker.prefix_cache.cache import PrefixCache
from inference.worker.sampling.token_rules import RuleConstraint
from tests.adapters.family_models import make
from tests.loras import DOWN, Q, layers, write_mlx
from tests.nightly import of_each_kind
from tests.tiny import CHATML
from tests.worker.engine.lookup import accepted, eager_batch, plain_batch, predicted
from tests.worker.lora.adapted import adapted
from tests.worker.models import run, sequence, tiny
from tests.worker.sampling.test_grammar import around, asking, grammar_of

pytestmark = pytest.mark.mlx
SCHEMA = {"type": "array", "items": {"type": "integer"}, "minItems": 12, "maxItems": 12}
SEEDED: dict[str, Any] = {"temperature": 1.0, "seed": 5}
KINDS: dict[str, dict[str, Any]] = {
    "an adapter": {"lora": "pirate@1"},
    "an adapter and a seed": {"lora": "pirate@1", **SEEDED},
    "a seed": SEEDED,
    "a schema": {"grammar": SCHEMA, **SEEDED},
    "rules and penalties": {
        "rules": RuleConstraint(8, frozenset({3}), frozenset(), ((7, 9), (12,))),
        "repetition_penalty": 1.3,
        "dry_multiplier": 0.8,
        **SEEDED,
    },
    "all of them": {"lora": "pirate@1", "grammar": SCHEMA, "presence_penalty": 0.5, **SEEDED},
}
NewBatch = Callable[[PrefixCache], Batch]
PAUSED = list(itertools.product(KINDS, (False, True), (False, True)))
# All four ways for what has everything; the others in turns with neither and with both.
IN_GATE = [one for place, one in enumerate(PAUSED) if one[0] == "all of them" or place % 8 in (0, 7)]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> nn.Module:
    folder: Path = tmp_path_factory.mktemp("models")
    return adapted(tiny(folder / "tiny"), write_mlx(folder / "pirate", layers(Q, DOWN), seed=2))


def wanted(kind: str) -> Sequence:
    fields = dict(KINDS[kind])
    schema = fields.pop("grammar", None)
    one = sequence(1, 40, max_tokens=60, **fields)
    if schema is None:
        return one
    loaded, _ = around(*make(CHATML))
    return replace(
        one,
        grammar=grammar_of(loaded, asking(schema)),
        decode=loaded.tokenizer.decode,
        stop_ids=loaded.stop_ids,
    )


def in_pieces(new_batch: NewBatch, one: Sequence, *, pauses: int, keeps_prefix: bool) -> list[Sampled]:
    """Its tokens if it is paused again and again, beside another row that goes on."""
    cache = PrefixCache(10**8)
    batch = ResilientBatch(lambda: new_batch(cache), lambda: None)
    batch.add(sequence(2, 30, start=9, max_tokens=200, temperature=0.9, seed=3))
    made: list[Sampled] = []
    waiting: Sequence | None = one
    for place in range(1, pauses + 1):
        assert waiting
        batch.add(waiting)
        before = len(made)
        while len(made) < before + 3 * place and not (made and made[-1].finish):
            made += [out for out in batch.step() if isinstance(out, Sampled) and out.id == one.id]
        waiting = batch.suspend(one.id)
        if not keeps_prefix:
            cache.shed(0)
        if waiting is None:
            return made
        assert len(waiting.answered) == len(made)
    batch.add(waiting)
    while one.id in batch.ids:
        made += [out for out in batch.step() if isinstance(out, Sampled) and out.id == one.id]
    return made


def facts(made: list[Sampled]) -> list[tuple[int, str | None]]:
    return [(sampled.token, sampled.finish) for sampled in made]


@pytest.fixture(scope="module")
def alone(model: nn.Module) -> Callable[[str], list[Sampled]]:
    """The answer of each kind that nothing pauses."""

    @cache
    def answer(kind: str) -> list[Sampled]:
        batch, one = plain_batch(model), wanted(kind)
        batch.add(one)
        return run(batch)[one.id]

    return answer


@pytest.mark.parametrize(("kind", "speculates", "keeps_prefix"), of_each_kind(PAUSED, IN_GATE))
def test_it_goes_on_to_the_same_tokens(
    model: nn.Module,
    alone: Callable[[str], list[Sampled]],
    kind: str,
    speculates: bool,
    keeps_prefix: bool,
) -> None:
    one = wanted(kind)
    expected = facts(alone(kind))
    assert len(expected) > 20

    def new_batch(cache: PrefixCache) -> Batch:
        return (eager_batch if speculates else plain_batch)(model, prefix_cache=cache)

    asked = predicted(model, one, generated=alone(kind)) if speculates else one
    made = in_pieces(new_batch, asked, pauses=3, keeps_prefix=keeps_prefix)
    assert facts(made) == expected
    assert bool(accepted(made)) == speculates
