"""Sequences computed one at a time: the same answers, fair turns, and everything else a batch does."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import mlx.nn as nn
import pytest

from inference.worker.engine.batch import Batch
from inference.worker.engine.sequence import Prefilled, Sampled, Sequence
from inference.worker.model.batch_support import BatchSupport
from inference.worker.prefix_cache.cache import PrefixCache
from tests.architectures import configs
from tests.worker.models import Counting, cached, run, sequence, tiny, tokens

pytestmark = pytest.mark.mlx
ALONE = BatchSupport(can_batch=False, can_prefill_together=False, reason="of a test")
UNMERGEABLE = ("llama4", "deepseek_v41")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> nn.Module:
    return tiny(tmp_path_factory.mktemp("models") / "tiny")


def batch_of(model: nn.Module, **options: Any) -> Batch:
    own: dict[str, Any] = {"max_batch": 16, "prefill_step": 64, "support": ALONE} | options
    return Batch(model, **own)


def tokens_of(make: Callable[[], Batch], *wanted: Sequence) -> list[list[int]]:
    """The tokens of each sequence when all are added at once."""
    batch = make()
    for one in wanted:
        batch.add(one)
    generated = run(batch)
    return [tokens(generated[one.id]) for one in wanted]


def test_it_says_what_a_batch_says(model: nn.Module) -> None:
    wanted = [sequence(n, 20 + 13 * n, start=n, temperature=1.0, seed=n, request=n) for n in range(1, 5)]
    one_by_one = tokens_of(lambda: batch_of(model), *wanted)
    assert one_by_one == tokens_of(lambda: batch_of(model, support=BatchSupport()), *wanted)


@pytest.mark.parametrize("name", UNMERGEABLE)
def test_a_model_whose_caches_cannot_be_merged_says_the_same_beside_others(name: str) -> None:
    model = configs.make(name)
    wanted = [sequence(n, 10 + 17 * n, start=n, temperature=1.0, seed=n, request=n) for n in range(1, 4)]
    together = tokens_of(lambda: batch_of(model), *wanted)
    assert together == [tokens_of(lambda: batch_of(model), one)[0] for one in wanted]


def test_each_request_gets_a_token_in_each_step(model: nn.Module) -> None:
    batch = batch_of(model)
    for number in (1, 2, 3):
        batch.add(sequence(number, 10, max_tokens=50, request=number))
    while not all(running.is_decoding for running in batch._running.values()):
        list(batch.step())
    assert [[o.id for o in batch.step() if isinstance(o, Sampled)] for _ in range(3)] == [[1, 2, 3]] * 3


def test_a_request_with_many_answers_takes_no_more_than_its_turn(model: nn.Module) -> None:
    batch = batch_of(model)
    batch.add(*(sequence(n, 10, max_tokens=6, request=1) for n in range(1, 5)))
    batch.add(sequence(9, 10, max_tokens=6, start=5, request=9))
    order: list[int] = []
    while batch.is_busy:
        order += [o.id for o in batch.step() if isinstance(o, Sampled) and o.finish]
    assert order.index(9) <= 1 and sorted(order) == [1, 2, 3, 4, 9]


def test_prompts_are_prefilled_in_turns_and_one_chunk_a_step(model: nn.Module) -> None:
    batch = batch_of(model, prefill_step=32)
    batch.add(sequence(1, 320, request=1))
    batch.add(sequence(2, 64, start=3, request=2))
    steps: list[list[Prefilled]] = []
    while not any(output.id == 2 and output.done == output.total for step in steps for output in step):
        steps.append([output for output in batch.step() if isinstance(output, Prefilled)])
    assert all(len(step) <= 1 for step in steps) and len(steps) < 10
    run(batch)


@pytest.mark.parametrize("has_exact_seeds", [True, False])
def test_lanes_and_echoes_prefill_in_turns_too(model: nn.Module, has_exact_seeds: bool) -> None:
    batch = batch_of(model, prefill_step=32, has_exact_seeds=has_exact_seeds, support=BatchSupport())
    batch.add(sequence(1, 200, request=1))
    for number in (2, 3):
        batch.add(sequence(number, 200, temperature=1.0, seed=number, request=number))
    batch.add(sequence(4, 200, scores_prompt=True, logprobs=0, request=4))
    counting = 0
    while batch.is_busy:
        prefilled = [output for output in batch.step() if isinstance(output, Prefilled)]
        counting = max(counting, sum(output.done != output.total for output in prefilled))
    assert counting <= 1 + (not has_exact_seeds) * 2  # the shared batch may pad several into one chunk


def test_answers_to_one_prompt_share_its_prefill(model: nn.Module) -> None:
    counting = Counting(model)
    batch = batch_of(counting)
    batch.add(*(sequence(n, 60, max_tokens=2, temperature=1.0, seed=n) for n in range(1, 5)))
    run(batch)
    assert counting.tokens <= 59 + 4 * 3


@pytest.mark.parametrize("steps", range(0, 14, 2))
def test_removing_a_sequence_in_any_phase_disturbs_nobody(model: nn.Module, steps: int) -> None:
    lone = sequence(1, temperature=1.0, seed=5, request=1)
    batch = batch_of(model, prefill_step=16)
    batch.add(lone)
    batch.add(*(sequence(n, 50, start=3, request=2) for n in (2, 3)))
    generated: list[int] = []
    for _ in range(steps):
        generated += [o.token for o in batch.step() if isinstance(o, Sampled) and o.id == 1]
    batch.remove(2)
    rest = run(batch)
    assert generated + tokens(rest.get(1, [])) == tokens_of(lambda: batch_of(model), lone)[0]
    assert batch.kv_bytes == 0


@pytest.mark.parametrize("name", ["llama", *UNMERGEABLE])
def test_prefixes_are_found_and_change_no_answer(name: str) -> None:
    model = configs.make(name)
    batch = batch_of(model, prefix_cache=PrefixCache(10**8))
    first = sequence(1, 40, stop_ids=frozenset({255}))
    batch.add(first)
    answer = tokens(run(batch)[1])
    second = sequence(2, prompt=(*first.prompt, *answer, 255, 1, 2, 3), stop_ids=frozenset({255}))
    (known,) = cached(batch, second)
    assert known >= 40
    batch.add(third := replace(second, id=3))
    assert tokens(run(batch)[3]) == tokens_of(lambda: batch_of(model), third)[0]


def test_a_sequence_with_nothing_to_compute_is_refused(model: nn.Module) -> None:
    with pytest.raises(ValueError, match="nothing to compute"):
        batch_of(model).add(sequence(1, prompt=()))


def test_an_exact_seed_is_exact_beside_an_echo_too(tmp_path: Path, model: nn.Module) -> None:
    """Its answer is computed by itself, whether or not its prompt's log probabilities are asked for."""
    batch = batch_of(model, has_exact_seeds=True, support=BatchSupport())
    batch.add(sequence(1, temperature=1.0, seed=5, scores_prompt=True, logprobs=0))
    batch.add(sequence(2, 30))
    while not batch._running.get(1):
        list(batch.step())
    assert batch._running[1].lane is batch._sequential and batch._running[1].is_exact
    run(batch)
