"""Random lives of a batch: whatever joins, pauses, leaves and fails, each row says what it says alone."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import pytest
from mlx.utils import tree_flatten

from inference.core.requests import AnswerGrammar
from inference.worker.engine.batch import Batch
from inference.worker.engine.recovery import ResilientBatch
from inference.worker.engine.sequence import Lost, Sampled, Sequence
from inference.worker.prefix_cache.cache import PrefixCache
from inference.worker.sampling.grammar import Grammar
from inference.worker.sampling.token_rules import RuleConstraint
from inference.worker.speculation.draft_model import DraftModel
from tests.adapters.family_models import make
from tests.loras import DOWN, UP, O, Q, layers, write_mlx, write_peft
from tests.nightly import of_each_kind
from tests.tiny import CHATML
from tests.worker.engine.lookup import eager_batch, plain_batch, predicted
from tests.worker.lora.adapted import adapted
from tests.worker.models import run, sequence, tiny
from tests.worker.sampling.test_grammar import around, asking, grammar_of

pytestmark = pytest.mark.mlx
LOADED, _ = around(*make(CHATML))
FORMS: tuple[dict[str, Any], ...] = (
    {"schema": {"type": "array", "items": {"type": "integer"}, "minItems": 3, "maxItems": 12}},
    {"grammar": AnswerGrammar(kind="regex", text="[a-c]{3}(-[0-9]{2}){4,9}")},
)
WISHES: tuple[dict[str, Any], ...] = (
    {"top_p": 0.9},
    {"top_k": 5},
    {"min_p": 0.05},
    {"xtc_probability": 0.5, "xtc_threshold": 0.01},
    {"repetition_penalty": 1.3, "repetition_window": 16},
    {"presence_penalty": 0.7, "frequency_penalty": 0.3},
    {"dry_multiplier": 0.8},
    {"logit_bias": ((65, 6.0), (66, -100.0))},
    {"logprobs": 2},
    {"scores_prompt": True},
    {"rules": RuleConstraint(8, frozenset({3}), frozenset(), ((7, 9), (12,)))},
    {"stop_ids": frozenset({17, 71, 130})},
)


class Flaky(nn.Module):  # type: ignore[misc]  # MLX's Module is not typed
    """The model, of which one in `fails` passes of several rows fails; 0 for none."""

    def __init__(self, model: nn.Module, chance: random.Random, fails: int) -> None:
        super().__init__()
        self.inner, self._chance, self._fails = model, chance, fails

    @property
    def layers(self) -> Any:
        return self.inner.layers

    def __call__(self, inputs: mx.array, cache: Any = None) -> mx.array:
        if self._fails and inputs.shape[0] > 1 and self._chance.randrange(self._fails) == 0:
            raise RuntimeError("no memory for so many rows")
        made: mx.array = self.inner(inputs, cache=cache)
        return made


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> nn.Module:
    folder: Path = tmp_path_factory.mktemp("models")
    adapters = [
        write_mlx(folder / "a", layers(Q, DOWN), seed=2),
        write_peft(folder / "b", layers(O, UP), seed=4, rank=12),
        write_mlx(folder / "c", layers(Q, O), seed=7, is_dora=True),
    ]
    return adapted(tiny(folder / "tiny"), *adapters)


@pytest.fixture(scope="module")
def close(model: nn.Module, tmp_path_factory: pytest.TempPathFactory) -> nn.Module:
    """A draft model that is often right."""
    other: Any = tiny(tmp_path_factory.mktemp("models") / "close")
    weight = other.model.embed_tokens.weight
    noise = mx.random.normal(weight.shape, key=mx.random.key(3))
    other.model.embed_tokens.weight = weight + 0.3 * mx.std(weight) * noise
    mx.eval([array for _, array in tree_flatten(other.parameters())])
    return other


def drawn(chance: random.Random, number: int) -> Sequence:
    """A sequence of any kind. A third are greedy, and all have seeds: XTC tosses coins for greedy ones."""
    temperature = 0.0 if chance.random() < 0.35 else chance.choice([0.5, 1.0, 1.5])
    fields: dict[str, Any] = {"temperature": temperature, "seed": chance.randrange(2**31)}
    for wish in chance.sample(WISHES, chance.randrange(4)):
        fields |= wish
    base, length = chance.randrange(3), chance.choice([1, 2, 17, 40, 70, 130])
    prompt = tuple((base * 13 + place * 7) % 250 for place in range(length - 1)) + (chance.randrange(250),)
    prompt += prompt[: chance.choice([0, 0, 20])]  # what repeats is drafted
    lora = chance.choice(["", "", "a@1", "b@1", "c@1"])
    one = sequence(number, prompt=prompt, max_tokens=chance.choice([1, 2, 9, 30, 50]), lora=lora, **fields)
    one = replace(one, owner=f"{chance.choice('xy')} {lora}", request=number)
    if chance.random() < 0.2:
        grammar: Grammar = grammar_of(LOADED, asking(**chance.choice(FORMS)))
        stops = one.stop_ids | LOADED.stop_ids
        one = replace(one, grammar=grammar, decode=LOADED.tokenizer.decode, stop_ids=stops)
    return one


@dataclass
class Life:
    """One run: the sequences that are not in the batch, and what each has said so far."""

    chance: random.Random
    batch: ResilientBatch
    waiting: list[Sequence]
    made: dict[int, list[Sampled]] = field(default_factory=dict)
    left: set[int] = field(default_factory=set)

    def run(self, shed: Callable[[int], None]) -> None:
        """Step the batch to its end; between the steps rows join, are paused and leave."""
        steps = 0
        while self.waiting or self.batch.is_busy:
            steps += 1
            assert steps < 5000, "nobody may wait for ever"
            if self.waiting and self.chance.random() < 0.3:
                self.batch.add(self.waiting.pop(self.chance.randrange(len(self.waiting))))
            self._disturb(shed)
            for output in self.batch.step():
                assert not isinstance(output, Lost)
                if isinstance(output, Sampled):
                    self.made.setdefault(output.id, []).append(output)

    def _disturb(self, shed: Callable[[int], None]) -> None:
        event, ids = self.chance.random(), self.batch.ids
        if ids and event < 0.1 and (paused := self.batch.suspend(self.chance.choice(ids))):
            self.waiting.append(paused)
        elif ids and event > 0.99:
            gone = self.chance.choice(ids)
            self.left.add(gone)
            self.batch.remove(gone)
        elif event > 0.96:
            shed(self.chance.choice([0, 30_000]))


@pytest.mark.parametrize("seed", of_each_kind(range(40), [3]))
def test_each_row_says_what_it_says_alone(model: nn.Module, close: nn.Module, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - the same life for the same seed
    everyone = [drawn(chance, number) for number in range(1, chance.randrange(4, 9))]
    alone: dict[int, list[Sampled]] = {}
    for one in everyone:
        batch = plain_batch(model)
        batch.add(replace(one, scores_prompt=False))
        alone[one.id] = run(batch)[one.id]
    asked = [
        predicted(model, one, wrong_every=chance.choice([3, 7, 50]), generated=alone[one.id])
        if chance.random() < 0.5
        else replace(one, speculates=chance.random() < 0.7)
        for one in everyone
    ]
    cache = PrefixCache(chance.choice([0, 50_000, 10**8]))
    flaky = Flaky(model, chance, chance.choice([0, 0, 60]))
    options = {"max_batch": chance.choice([2, 5, 16]), "prefill_step": chance.choice([8, 64])}
    has_draft_model = chance.random() < 0.5

    def new_batch() -> Batch:
        drafts = DraftModel(close, 264) if has_draft_model else None
        return eager_batch(flaky, prefix_cache=cache, draft_model=drafts, **options)

    life = Life(chance, ResilientBatch(new_batch, lambda: cache.shed(0)), asked)
    life.run(cache.shed)
    for number, answer in alone.items():
        mine = [(one.token, one.finish) for one in life.made.get(number, ())]
        own = [(one.token, one.finish) for one in answer]
        assert mine == (own[: len(mine)] if number in life.left else own), number
    assert life.batch.kv_bytes == 0
