"""The running batch on a real tiny model: every kind of request in it at once, each as if it were alone."""

from typing import Any

import mlx.nn as nn
import numpy as np
import pytest

from inference.worker.engine.batch import Batch
from inference.worker.engine.sequence import Prefilled, Sampled, Sequence
from inference.worker.prefix_cache.cache import PrefixCache
from tests.worker.models import Counting, Windowed, cached, recurrent, run, sequence, tiny, tokens

pytestmark = pytest.mark.mlx

KINDS: dict[str, dict[str, Any]] = {
    "greedy": {"temperature": 0.0},
    "seeded": {"temperature": 1.0, "seed": 5},
    "seeded nucleus": {"temperature": 1.3, "top_p": 0.9, "seed": 5},
    "seeded top-k and min-p": {"temperature": 1.5, "top_k": 20, "min_p": 0.02, "seed": 6},
    "penalised": {"temperature": 1.0, "seed": 7, "presence_penalty": 0.7, "frequency_penalty": 0.5},
    "repetition": {"temperature": 0.0, "repetition_penalty": 1.3},
    "biased": {"temperature": 1.0, "seed": 8, "logit_bias": ((65, 4.0), (66, -100.0))},
    "logprobs": {"temperature": 1.0, "seed": 9, "logprobs": 3},
}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> nn.Module:
    return tiny(tmp_path_factory.mktemp("models") / "tiny")


def batch_of(model: nn.Module, **options: Any) -> Batch:
    return Batch(model, **({"max_batch": 16, "prefill_step": 64} | options))


def alone(model: nn.Module, kind: str) -> list[int]:
    batch = batch_of(model)
    batch.add(sequence(1, **KINDS[kind]))
    return tokens(run(batch)[1])


@pytest.mark.parametrize("kind", KINDS)
def test_a_sequence_says_the_same_alone_and_beside_all_other_kinds(model: nn.Module, kind: str) -> None:
    batch = batch_of(model)
    batch.add(sequence(1, **KINDS[kind]))
    for number, other in enumerate(KINDS.values(), start=2):
        batch.add(sequence(number, 25 + number, start=number, **other))
    assert tokens(run(batch)[1]) == alone(model, kind)


def test_a_sequence_says_the_same_when_others_join_and_leave(model: nn.Module) -> None:
    batch = batch_of(model)
    batch.add(sequence(1, max_tokens=30, temperature=1.0, seed=3))
    generated: list[int] = []
    for number in range(2, 200):
        if len(generated) == 30:
            break
        batch.add(sequence(number, 20 + number % 30, start=number, max_tokens=4, temperature=1.0))
        generated += [o.token for o in batch.step() if isinstance(o, Sampled) and o.id == 1]
        batch.remove(number - 1 if number > 2 else 0)
    lone = batch_of(model)
    lone.add(sequence(1, max_tokens=30, temperature=1.0, seed=3))
    assert generated == tokens(run(lone)[1])


def test_unseeded_draws_differ(model: nn.Module) -> None:
    batch = batch_of(model)
    for number in range(4):
        batch.add(sequence(number, temperature=1.0))
    assert len({tuple(tokens(generated)) for generated in run(batch).values()}) == 4


def test_logprobs_are_computed_for_those_who_asked_and_are_right(model: nn.Module) -> None:
    batch = batch_of(model)
    batch.add(sequence(1, logprobs=3))
    batch.add(sequence(2))
    generated = run(batch)
    assert all(sampled.logprob is None for sampled in generated[2])
    for sampled in generated[1]:
        assert sampled.logprob and sampled.logprob.top[0] == (sampled.token, sampled.logprob.value)
        values = [value for _, value in sampled.logprob.top]
        assert values == sorted(values, reverse=True) and np.exp(values).sum() <= 1


def test_a_forced_stop_token_ends_a_sequence(model: nn.Module) -> None:
    batch = batch_of(model)
    batch.add(sequence(1, logit_bias=((65, 1000.0),), stop_ids=frozenset({65})))
    batch.add(sequence(2))
    generated = run(batch)
    assert [(s.token, s.finish) for s in generated[1]] == [(65, "stop")]
    assert generated[2][-1].finish == "length"


def test_a_frequency_penalty_counts_the_answer_only(model: nn.Module) -> None:
    batch = batch_of(model)
    forced: dict[str, Any] = {"logit_bias": ((65, 10_000.0), (66, 9_000.0)), "prompt": (65,) * 30}
    batch.add(sequence(1, frequency_penalty=400.0, max_tokens=6, **forced))
    generated = tokens(run(batch)[1])
    assert generated == [65, 65, 65, 66, 65, 66]  # its lead of 1,000 is spent at 400 a token


def test_a_sequence_that_is_computed_again_goes_on_as_it_would_have(model: nn.Module) -> None:
    whole = batch_of(model)
    kind = KINDS["penalised"]
    whole.add(sequence(1, max_tokens=12, **kind))
    expected = tokens(run(whole)[1])
    broken_off = batch_of(model)
    broken_off.add(sequence(1, max_tokens=12, **kind))
    generated: list[int] = []
    while len(generated) < 5:
        generated += [o.token for o in broken_off.step() if isinstance(o, Sampled)]
    (rest,) = broken_off.unfinished
    again = batch_of(model)
    again.add(rest)
    assert generated + tokens(run(again)[1]) == expected


def test_exact_seeds_run_by_themselves_beside_the_batch(model: nn.Module) -> None:
    batch = batch_of(model, has_exact_seeds=True)
    batch.add(sequence(1, temperature=1.0, seed=5))
    batch.add(sequence(2, temperature=1.0, seed=6, start=9))
    batch.add(sequence(3))
    generated = run(batch)
    assert tokens(generated[1]) == alone(model, "seeded") and tokens(generated[3]) == alone(model, "greedy")
    assert len(generated[2]) == 12


def test_a_long_prompt_lets_others_decode_between_its_chunks(model: nn.Module) -> None:
    batch = batch_of(model, prefill_step=32)
    batch.add(sequence(1, max_tokens=200))
    while not any(isinstance(output, Sampled) for output in batch.step()):
        pass
    batch.add(sequence(2, 600))
    steps: list[list[object]] = []
    while not any(isinstance(o, Sampled) and o.id == 2 for step in steps[-1:] for o in step):
        steps.append(list(batch.step()))
    chunks = [[o.done for o in step if isinstance(o, Prefilled)] for step in steps]
    assert all(any(isinstance(o, Sampled) and o.id == 1 for o in step) for step in steps)
    assert len([chunk for chunk in chunks if chunk]) >= 600 // 32


def test_removing_a_sequence_in_any_phase_disturbs_nobody(model: nn.Module) -> None:
    for steps in range(8):
        batch = batch_of(model, prefill_step=16)
        batch.add(sequence(1, temperature=1.0, seed=5))
        batch.add(sequence(2, 50, start=3))
        generated: list[int] = []
        for _ in range(steps):
            generated += [o.token for o in batch.step() if isinstance(o, Sampled) and o.id == 1]
        batch.remove(2)
        assert generated + tokens(run(batch).get(1, [])) == alone(model, "seeded")


def test_a_second_turn_finds_the_first(model: nn.Module) -> None:
    batch = batch_of(model, prefix_cache=PrefixCache(10**8))
    first = sequence(1, 60)
    batch.add(first)
    answer = tuple(tokens(run(batch)[1]))
    second = sequence(2, prompt=(*first.prompt, *answer, 1, 2, 3))
    assert cached(batch, second) == [60 + len(answer)]


def test_a_cached_prefix_changes_no_answer(model: nn.Module) -> None:
    batch = batch_of(model, prefix_cache=PrefixCache(10**8))
    batch.add(sequence(1))
    run(batch)
    for number, kind in enumerate(KINDS, start=2):
        batch.add(sequence(number, **KINDS[kind]))
        assert tokens(run(batch)[number]) == alone(model, kind)


def test_a_stopped_sequence_leaves_what_was_computed(model: nn.Module) -> None:
    batch = batch_of(model, prefix_cache=PrefixCache(10**8))
    batch.add(sequence(1, 60, max_tokens=100))
    while not any(isinstance(output, Sampled) for output in batch.step()):
        pass
    batch.remove(1)
    assert cached(batch, sequence(2, 60)) == [59]


def test_a_window_that_moved_is_found_at_message_ends_only(model: nn.Module) -> None:
    batch = batch_of(Windowed(model, window=32), prefix_cache=PrefixCache(10**8))
    end = 255
    chat = (*range(20), end, *range(100, 150), end, *range(30, 60))
    batch.add(sequence(1, prompt=chat, stop_ids=frozenset({end})))
    run(batch)
    edited = (*chat[:72], *range(200, 230))
    assert cached(batch, sequence(2, prompt=edited, stop_ids=frozenset({end}))) == [72]


def test_window_caches_answer_the_same_from_a_checkpoint(model: nn.Module) -> None:
    windowed, end = Windowed(model, window=32), frozenset({255})
    chat = (*range(20), 255, *range(100, 150), 255, *range(30, 60))
    batch = batch_of(windowed, prefix_cache=PrefixCache(10**8))
    for number in (1, 2):
        batch.add(sequence(number, prompt=chat, stop_ids=end))
        run(batch)
    batch.add(sequence(3, prompt=chat, stop_ids=end))
    lone = batch_of(windowed)
    lone.add(sequence(3, prompt=chat, stop_ids=end))
    assert tokens(run(batch)[3]) == tokens(run(lone)[3])


def test_a_recurrent_state_is_found_at_message_ends_and_answers_the_same() -> None:
    model, end = recurrent(), frozenset({255})
    chat = (*range(20), 255, *range(100, 150), 255, *range(30, 60))
    batch = batch_of(model, prefix_cache=PrefixCache(10**8))
    batch.add(sequence(1, prompt=chat, stop_ids=end))
    run(batch)
    edited = sequence(2, prompt=(*chat[:72], *range(200, 230)), stop_ids=end, temperature=1.0, seed=4)
    assert cached(batch, edited) == [72]
    batch.add(edited)
    lone = batch_of(model)
    lone.add(edited)
    assert tokens(run(batch)[2]) == tokens(run(lone)[2])


def test_kv_bytes_grow_with_the_sequences_and_are_given_back(model: nn.Module) -> None:
    batch = batch_of(model)
    batch.add(sequence(1, 200))
    list(batch.step())
    assert batch.kv_bytes > 0
    run(batch)
    assert batch.kv_bytes == 0


def copies(count: int = 3, **changes: Any) -> list[Sequence]:
    return [sequence(number, temperature=1.0, seed=number, **changes) for number in range(1, count + 1)]


@pytest.mark.parametrize("kind", ["windowed", "recurrent"])
def test_checkpoints_of_a_request_are_shared_by_prompts_that_part_there(model: nn.Module, kind: str) -> None:
    used = {"windowed": Windowed(model, 32), "recurrent": recurrent()}[kind]
    batch = batch_of(used, prefix_cache=PrefixCache(10**8))
    prompt = sequence(1, 90).prompt
    marked = sequence(1, prompt=prompt, checkpoints=(40, 70))
    other = sequence(2, prompt=(*prompt[:75], *prompt[:20]), checkpoints=(40, 70))
    early = sequence(3, prompt=(*prompt[:45], *prompt[:20]))
    assert cached(batch, marked) == [0]
    assert cached(batch, other) == [70]
    batch.add(early)
    lone = batch_of(used)
    lone.add(early)
    assert tokens(run(batch)[3]) == tokens(run(lone)[3])
    unmarked = batch_of(used, prefix_cache=PrefixCache(10**8))
    assert [*cached(unmarked, sequence(1, prompt=prompt)), *cached(unmarked, other)] == [0, 0]


@pytest.mark.parametrize("kind", ["plain", "windowed", "recurrent"])
def test_copies_say_what_each_would_say_alone(model: nn.Module, kind: str) -> None:
    used = {"plain": model, "windowed": Windowed(model, 64), "recurrent": recurrent()}[kind]
    together = batch_of(used)
    together.add(*copies())
    generated = run(together)
    for one in copies():
        alone = batch_of(used)
        alone.add(one)
        assert tokens(generated[one.id]) == tokens(run(alone)[one.id])


def test_copies_are_prefilled_once(model: nn.Module) -> None:
    counting = Counting(model)
    batch = batch_of(counting)
    batch.add(*copies(4, length=60, max_tokens=2))
    run(batch)
    # The prompt once; its last token, the first one drawn, and the one that is begun and not used, for each.
    assert counting.tokens <= 59 + 4 * 3


@pytest.mark.parametrize("length", [1, 2, 40])
def test_copies_of_any_prompt_all_end(model: nn.Module, length: int) -> None:
    batch = batch_of(model)
    batch.add(*copies(length=length))
    assert {number: len(generated) for number, generated in run(batch).items()} == {1: 12, 2: 12, 3: 12}


@pytest.mark.parametrize("left", [1, 2])
def test_one_of_several_copies_may_leave_before_the_prompt_is_computed(model: nn.Module, left: int) -> None:
    batch = batch_of(model, prefill_step=16)
    batch.add(*copies(length=60))
    list(batch.step())
    batch.remove(left)
    assert run(batch).keys() == {1, 2, 3} - {left}


def test_copies_that_wait_are_unfinished_too(model: nn.Module) -> None:
    batch = batch_of(model)
    batch.add(*copies())
    assert [one.id for one in batch.unfinished] == batch.ids == [1, 2, 3]
