"""Which prefixes are still there when they are needed: the hit shares of whole traces of requests."""

import itertools
from typing import Any

import mlx.core as mx
import pytest
from mlx_lm.models.cache import KVCache

from inference.worker.prefix_cache.cache import PrefixCache

pytestmark = pytest.mark.mlx
BYTES_PER_TOKEN = 8
LENGTH = 2800  # tokens of a prompt


def kv(length: int) -> list[Any]:
    layer = KVCache()
    layer.keys, layer.values, layer.offset = mx.zeros((1, 1, length, 1)), mx.zeros((1, 1, length, 1)), length
    return [layer]


class Trace:
    """Requests to a cache with memory for `slots` prompts; each conversation grows with its answers."""

    def __init__(self, slots: float = 3) -> None:
        self.prefix_cache = PrefixCache(int(slots * 1.1 * LENGTH * BYTES_PER_TOKEN))
        self._numbers = itertools.count()
        self._talks: dict[str, list[int]] = {}

    def fresh(self, length: int) -> list[int]:
        return list(itertools.islice(self._numbers, length))

    def begin(self, name: str, prompt: list[int]) -> None:
        self._talks[name] = prompt

    def ask(self, name: str, *, reasoning: int = 0) -> float:
        """The next turn of a conversation; returns the share of its prompt that was known."""
        prompt = self._talks.setdefault(name, self.fresh(LENGTH))
        found = self.prefix_cache.lookup("me", prompt)
        length = found.length if found else 0
        del found  # its loan ends
        thoughts, answer = self.fresh(reasoning), self.fresh(20)
        computed = [*prompt, *thoughts, *answer]
        self.prefix_cache.store("me", computed, kv(len(computed)))
        self._talks[name] = [*prompt, *answer, *self.fresh(30)]
        return length / len(prompt)

    def mean(self, names: str, turns: int, **how: int) -> float:
        shares = [self.ask(name, **how) for _ in range(turns) for name in names]
        return sum(shares[len(names) :]) / len(shares[len(names) :])  # the first turns are new


@pytest.mark.parametrize(
    ("names", "least"), [("abc", 0.95), ("abcd", 0.6), ("abcde", 0.45), ("abcdefgh", 0.25)]
)
def test_of_conversations_that_take_turns_as_many_as_fit_are_kept(names: str, least: float) -> None:
    assert Trace().mean(names, 10) >= least


def test_the_second_turn_is_known_beside_four_others_with_memory_for_three() -> None:
    trace = Trace()
    for name in "abcde":
        trace.ask(name)
    assert trace.ask("a") > 0.98


def test_so_it_is_right_behind_its_first() -> None:
    trace = Trace()
    for name in "bcdea":
        trace.ask(name)
    assert trace.ask("a") > 0.98


@pytest.mark.parametrize("length", [300, LENGTH])
def test_requests_that_nobody_repeats_leave_a_conversation_alone(length: int) -> None:
    trace = Trace()
    for turn in range(10):
        assert trace.ask("agent") > 0.98 or turn == 0
        for number in range(6):
            trace.begin(f"once {turn} {number}", trace.fresh(length))
            trace.ask(f"once {turn} {number}")


def test_conversations_that_have_ended_make_place() -> None:
    trace = Trace()
    trace.mean("abc", 3)
    assert trace.mean("xyz", 4) > 0.5
    assert min(trace.ask(name) for name in "xyz") > 0.98


def test_reasoning_that_is_left_out_of_the_next_prompt_takes_no_place_of_others() -> None:
    assert Trace().mean("abc", 10, reasoning=300) > 0.8
    assert Trace().mean("abcde", 10, reasoning=300) > 0.4


def test_agents_share_the_memory_of_their_instructions() -> None:
    trace, instructions = Trace(), list(range(10**6, 10**6 + 2000))
    for name in "abcdefgh":
        trace.begin(name, [*instructions, *trace.fresh(800)])
        trace.ask(name)
    # Eight of 2,850 tokens are held as 2,000 and eight times 850, where three whole ones would fit.
    assert len(trace.prefix_cache.entries) == 8
    assert min(trace.ask(name) for name in "abcdefgh") > 0.98


def test_what_a_running_sequence_holds_is_dropped_first_and_comes_back() -> None:
    trace = Trace()
    for name in "aabbcc":
        trace.ask(name)
    prompt = trace._talks["c"]
    found = trace.prefix_cache.lookup("me", prompt)
    assert found and found.length > LENGTH
    trace.prefix_cache.shed(2 * 2900 * BYTES_PER_TOKEN)
    assert sorted(trace.ask(name) > 0.98 for name in "ab") == [True, True]
    trace.prefix_cache.store("me", prompt, kv(len(prompt)))
    del found
    assert trace.ask("c") > 0.98


def test_the_loan_ends_with_the_sequence() -> None:
    trace = Trace()
    for name in "aabbcc":
        trace.ask(name)
    found = trace.prefix_cache.lookup("me", trace._talks["a"])
    assert found
    del found
    trace.prefix_cache.shed(2 * 2900 * BYTES_PER_TOKEN)
    assert trace.ask("a") > 0.98


def test_memory_for_a_lease_is_not_taken_from_the_conversation_that_it_is_for() -> None:
    trace = Trace(99)
    shares = []
    for _ in range(8):
        for name in "abc":
            # The pool makes place for the KV cache of this turn before it sends the request.
            trace.prefix_cache.shed(int(2.2 * LENGTH * BYTES_PER_TOKEN))
            shares.append(trace.ask(name))
    assert sum(shares[6:]) / len(shares[6:]) > 0.5


def test_those_that_are_come_back_to_stay_beside_hundreds_of_others() -> None:
    trace = Trace(99)
    used, unused = [f"used {n}" for n in range(20)], [f"unused {n}" for n in range(300)]
    for name in (*used, *used, *unused):
        if name not in trace._talks:
            trace.begin(name, trace.fresh(100))
        trace.ask(name)
    trace.prefix_cache.shed(22 * 250 * BYTES_PER_TOKEN)
    assert min(trace.ask(name) for name in used) > 0.8


def test_one_that_was_to_be_dropped_stays_if_it_is_used_meanwhile() -> None:
    trace = Trace(99)
    names = [f"{n}" for n in range(200)]
    for name in names:
        trace.begin(name, trace.fresh(100))
        trace.ask(name)
    trace.prefix_cache.shed(trace.prefix_cache.bytes - 1)  # chooses the next ones, too
    left = next(name for name in names if trace.ask(name) > 0)
    trace.prefix_cache.shed(20 * 250 * BYTES_PER_TOKEN)
    assert trace.ask(left) > 0.8
