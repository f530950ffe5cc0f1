"""Conversations of 28,000 tokens: each turn computes only what is new, also with memory for a few."""

import gc
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import pytest
from mlx_lm.models.cache import KVCache, RotatingKVCache

from inference.worker.engine.batch import Batch
from inference.worker.engine.sequence import Prefilled, Sampled, Sequence
from inference.worker.model.batch_support import BatchSupport
from inference.worker.prefix_cache.cache import PrefixCache
from tests.worker.models import recurrent, run, sequence, tokens

pytestmark = pytest.mark.mlx
LONG = 28_000
END = 255
SIZE = 16
NEW = 32  # tokens of a further turn: the end of the answer, the question and its end
PROMPT_BYTES = LONG * SIZE * 2 * 4


class Cheap(nn.Module):  # type: ignore[misc]  # mlx is not typed
    """A model whose next token depends on every token and its place, in time that grows with the prompt.

    Its keys are embeddings, turned by their positions; what it reads of them is their sum.
    """

    def __init__(self, window: int = 0) -> None:
        super().__init__()
        self.embedding = mx.random.normal((264, SIZE), key=mx.random.key(3))
        self.turns = mx.arange(1, SIZE + 1) / SIZE
        self.window = window
        self.layers = [None]

    def make_cache(self) -> list[Any]:
        return [RotatingKVCache(max_size=self.window)] if self.window else [KVCache()]

    def __call__(self, inputs: mx.array, cache: Any = None) -> mx.array:
        offset = mx.array(cache[0].offset).reshape(-1, 1)
        places = (offset + mx.arange(inputs.shape[1]))[..., None]
        new = (self.embedding[inputs] * mx.cos(places * self.turns))[:, None]
        keys, _ = cache[0].update_and_fetch(new, new)
        before = keys.sum(axis=2) - new.sum(axis=2)
        made: mx.array = (before + mx.cumsum(new[:, 0], axis=1)) @ self.embedding.T * 0.1
        return made


def batch_of(slots: float = 99, model: nn.Module | None = None) -> tuple[Batch, PrefixCache]:
    prefix_cache = PrefixCache(int(slots * PROMPT_BYTES))
    used = Cheap() if model is None else model
    return Batch(used, max_batch=8, prefill_step=4096, prefix_cache=prefix_cache), prefix_cache


class Talk:
    """A conversation with a prompt of its own."""

    def __init__(self, number: int, length: int = LONG) -> None:
        self.number = number
        self.prompt = tuple((place * (7 + 2 * number) + number) % 250 for place in range(length - 1)) + (END,)
        self.turns = 0

    @property
    def sequence(self) -> Sequence:
        stops = frozenset({END})
        return sequence(
            self.number, prompt=self.prompt, max_tokens=8, stop_ids=stops, logit_bias=((END, -9e9),)
        )

    def turn(self, batch: Batch) -> int:
        """Ask, and add the answer and the next question to the prompt; returns the computed tokens."""
        batch.add(self.sequence)
        computed, answer = 0, list[int]()
        while batch.is_busy:
            for output in batch.step():
                if isinstance(output, Prefilled):
                    computed = output.total - output.cached
                elif isinstance(output, Sampled):
                    answer.append(output.token)
        self.turns += 1
        self.prompt = (
            *self.prompt,
            *answer,
            END,
            *(n % 250 for n in range(self.turns, self.turns + 30)),
            END,
        )
        return computed


def test_a_second_turn_computes_only_what_is_new() -> None:
    batch, _ = batch_of()
    talk = Talk(1)
    assert [talk.turn(batch), talk.turn(batch), talk.turn(batch)] == [LONG, NEW, NEW]


@pytest.mark.parametrize("can_batch", [True, False], ids=["batch", "one by one"])
def test_a_running_sequence_has_a_copy_of_its_prefix_which_the_figures_count(can_batch: bool) -> None:
    """So a lease reserves the whole prompt: nothing is counted twice that is in memory once."""

    def held() -> int:
        mx.synchronize()
        mx.clear_cache()
        return mx.get_active_memory() - before

    prefix_cache, model = PrefixCache(99 * PROMPT_BYTES), Cheap()
    mx.eval(model.embedding, model.turns)
    gc.collect()  # what earlier tests left in cycles would be freed while this one measures
    before = mx.get_active_memory()
    support = BatchSupport(can_batch=can_batch)
    batch = Batch(model, max_batch=8, prefill_step=4096, prefix_cache=prefix_cache, support=support)
    talk = Talk(1)
    talk.turn(batch)
    assert held() == pytest.approx(prefix_cache.bytes, rel=0.05)
    batch.add(talk.sequence)
    for _ in range(3):
        list(batch.step())
    assert min(batch.kv_bytes, prefix_cache.bytes) >= PROMPT_BYTES
    assert held() == pytest.approx(batch.kv_bytes + prefix_cache.bytes, rel=0.05)
    prefix_cache.shed(0)
    assert held() == pytest.approx(batch.kv_bytes, rel=0.05)
    run(batch)
    assert held() == pytest.approx(prefix_cache.bytes, rel=0.05) and prefix_cache.bytes >= PROMPT_BYTES


def test_so_it_does_beside_four_others_with_memory_for_three() -> None:
    batch, prefix_cache = batch_of(3.1)
    talks = [Talk(number) for number in range(5)]
    assert [talk.turn(batch) for talk in talks] == [LONG] * 5
    assert talks[0].turn(batch) == NEW
    assert prefix_cache.bytes <= 3.1 * PROMPT_BYTES


def test_of_five_that_take_turns_with_memory_for_three_most_are_known() -> None:
    batch, _ = batch_of(3.1)
    talks = [Talk(number) for number in range(5)]
    for _ in range(3):
        computed = [talk.turn(batch) for talk in talks]
    assert sum(1 for count in computed if count == NEW) >= 2 and sum(computed) < 3 * LONG


def test_an_agent_stays_known_beside_requests_that_nobody_repeats() -> None:
    batch, _ = batch_of(3.1)
    agent = Talk(0)
    computed = []
    for round_ in range(3):
        computed.append(agent.turn(batch))
        for number in range(4):
            Talk(10 * (round_ + 1) + number, LONG - 50 * number).turn(batch)
    assert computed == [LONG, NEW, NEW]


def test_a_known_prefix_changes_no_answer() -> None:
    talk = Talk(1)
    with_cache, _ = batch_of()
    for _ in range(3):
        talk.turn(with_cache)
    with_cache.add(talk.sequence)
    without, _ = batch_of(0)
    without.add(talk.sequence)
    assert tokens(run(with_cache)[1]) == tokens(run(without)[1])


def running(batch: Batch, talk: Talk) -> None:
    """Run a conversation up to its first token."""
    batch.add(talk.sequence)
    while not any(isinstance(output, Sampled) for output in batch.step()):
        pass


@pytest.mark.parametrize("is_cancelled", [True, False])
def test_what_a_running_sequence_holds_makes_place_for_others_and_is_stored_again(is_cancelled: bool) -> None:
    batch, prefix_cache = batch_of(3.1)
    talk, other = Talk(1), Talk(2)
    for one in (talk, other, talk, other):
        one.turn(batch)
    running(batch, talk)
    prefix_cache.shed(int(1.05 * PROMPT_BYTES))  # the memory that a lease of another request takes
    if is_cancelled:
        batch.remove(1)
    run(batch)
    assert [other.turn(batch), talk.turn(batch)] == [NEW, 1]


def test_a_prefix_is_not_held_twice_at_the_end_of_a_turn() -> None:
    batch, prefix_cache = batch_of()
    talk = Talk(1)
    for _ in range(5):
        talk.turn(batch)
    assert prefix_cache.bytes == pytest.approx(PROMPT_BYTES, rel=0.02)


def test_agents_with_the_same_instructions_hold_them_once() -> None:
    batch, prefix_cache = batch_of()
    talks = [Talk(number, 500) for number in range(6)]
    for talk in talks:
        talk.prompt = (*Talk(99, 20_000).prompt, *talk.prompt)
    assert [talk.turn(batch) for talk in talks] == [20_500] + [500] * 5
    assert prefix_cache.bytes < 25_000 * SIZE * 2 * 4


@pytest.mark.parametrize("kind", ["plain", "windowed", "recurrent"])
def test_every_one_of_twenty_turns_goes_on_from_the_last(kind: str) -> None:
    models = {"plain": Cheap, "windowed": lambda: Cheap(window=64), "recurrent": recurrent}
    batch, prefix_cache = batch_of(99, models[kind]())
    talk = Talk(1, 1000)
    computed = [talk.turn(batch) for _ in range(20)]
    # What cannot be trimmed goes on from where the last answer ended.
    assert computed[1:] == [NEW] * 19
    assert kind == "recurrent" or prefix_cache.bytes < 40 * 2000 * SIZE * 2 * 4


def test_an_edit_of_the_last_message_goes_on_from_the_one_before() -> None:
    batch, _ = batch_of(99, Cheap(window=64))
    talk = Talk(1, 1000)
    for _ in range(20):
        talk.turn(batch)
    talk.turn(batch)
    talk.prompt = (*talk.prompt[:-40], 9, 9, 9, 9, 9)
    assert talk.turn(batch) < 100
