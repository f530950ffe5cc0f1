"""The samplers of a batch's rows together, against each of them alone."""

import mlx.core as mx
import numpy as np
import pytest

from inference.core.requests import Sampling, TokenRules
from inference.worker.sampling.row_samplers import RowSamplers
from inference.worker.sampling.token_rules import RuleConstraint
from inference.worker.sampling.token_sampler import TokenSampler

pytestmark = pytest.mark.mlx
SIZE = 300
STEPS = 12
SAMPLINGS = (
    Sampling(temperature=0.0),
    Sampling(temperature=0.9, seed=1),
    Sampling(temperature=0.7, top_p=0.9, seed=2),
    Sampling(temperature=1.1, top_k=7, seed=3),
    Sampling(temperature=1.0, min_p=0.1, seed=4),
    Sampling(temperature=0.8, frequency_penalty=0.9, presence_penalty=-0.4, seed=5),
    Sampling(temperature=0.0, repetition_penalty=1.8),
    Sampling(temperature=0.6, top_p=0.8, top_k=30, logit_bias=((5, 4.0), (9, -3.0)), seed=6),
    Sampling(temperature=1.3, xtc_probability=0.6, xtc_threshold=0.05, seed=7),
    Sampling(temperature=0.0, dry_multiplier=2.0, dry_allowed_length=1),
    Sampling(temperature=0.9, frequency_penalty=0.5, logit_bias=((7, 2.0),), seed=8),
    Sampling(temperature=0.5, repetition_penalty=1.2, min_p=0.02, top_k=9, seed=9),
)
RULES = RuleConstraint.of(TokenRules(allowed_ids=tuple(range(40, 60))), frozenset({3}), lambda text: [])


def samplers() -> list[TokenSampler]:
    made = [
        TokenSampler(sampling, prompt=(row, 4, 4, 9), logprobs=(None, 0, 3)[row % 3])
        for row, sampling in enumerate(SAMPLINGS)
    ]
    return [*made, TokenSampler(Sampling(temperature=0.9, seed=10), prompt=(1, 2), rules=RULES)]


def logits_of(row: int, step: int) -> mx.array:
    return 2 * mx.random.normal((1, SIZE), key=mx.random.key(100 * row + step % 3))


Answer = list[tuple[int, float | None, tuple[tuple[int, float], ...]]]


def steps_of(
    rows: list[int], of: list[TokenSampler], steps: range, last: dict[int, int]
) -> dict[int, Answer]:
    """The tokens of these rows, computed together, with their log probabilities; `last` are the latest."""
    answers: dict[int, Answer] = {row: [] for row in rows}
    together: RowSamplers | None = None
    for step in steps:
        own = [of[row] for row in rows]
        for row in rows:
            if of[row].is_constrained:
                of[row].observe(last[row])
        together = RowSamplers.of(own, together)
        before = mx.array([last[row] for row in rows], dtype=mx.uint32)
        logits = together.process(before, mx.concatenate([logits_of(row, step) for row in rows]))
        tokens = together.sample(logits)
        logprobs, _ = together.logprobs(logits, tokens)
        for place, row in enumerate(rows):
            last[row] = int(np.array(tokens)[place])
            found = logprobs[place]
            read = found.read() if found else None
            answers[row].append((last[row], read.value if read else None, read.top if read else ()))
    return answers


def first() -> dict[int, int]:
    return dict.fromkeys(range(len(SAMPLINGS) + 1), 9)


@pytest.fixture(scope="module")
def alone() -> dict[int, Answer]:
    found: dict[int, Answer] = {}
    for row in range(len(SAMPLINGS) + 1):
        found |= steps_of([row], samplers(), range(STEPS), first())
    return found


@pytest.mark.parametrize(
    "rows",
    [
        list(range(13)),
        list(reversed(range(13))),
        [5, 6],
        [0, 6, 9],
        [3, 7, 11],
        [12, 8, 1],
        [2, 2 + 1, 4, 10],
    ],
)
def test_rows_get_together_what_each_gets_alone(rows: list[int], alone: dict[int, Answer]) -> None:
    assert steps_of(rows, samplers(), range(STEPS), first()) == {row: alone[row] for row in rows}


def test_rows_that_join_and_leave_keep_their_counts(alone: dict[int, Answer]) -> None:
    own, last = samplers(), first()
    begun = steps_of([5, 6, 10], own, range(4), last)
    middle = steps_of([6, 10, 0], own, range(4, 7), last | {0: 9})
    assert [begun[6] + middle[6], begun[10] + middle[10]] == [alone[6][:7], alone[10][:7]]
    both = [own[row] for row in (5, 6)]
    assert RowSamplers.of(both, None).samplers == both


def test_a_row_may_be_processed_alone_between_steps_of_all(alone: dict[int, Answer]) -> None:
    own, last = samplers(), first()
    found: Answer = []
    for step in range(STEPS):
        rows = [6] if step % 2 else [5, 6, 11]
        found += steps_of(rows, own, range(step, step + 1), last)[6]
    assert found == alone[6]


def test_a_fork_of_penalties_counts_by_itself() -> None:
    sampler = TokenSampler(Sampling(frequency_penalty=1.0), prompt=(1,))
    token, logits = mx.array([2], dtype=mx.uint32), mx.zeros((1, 4))
    sampler.process(mx.array([1], dtype=mx.uint32), logits)
    penalties = sampler.penalties
    assert penalties
    fork = penalties.fork()
    assert fork.apply(token, logits).tolist() == [[0.0, 0.0, -1.0, 0.0]]
    assert fork.apply(token, logits).tolist() == [[0.0, 0.0, -2.0, 0.0]]
    assert penalties.apply(token, logits).tolist() == [[0.0, 0.0, -1.0, 0.0]]


def test_a_sampler_whose_penalties_are_replaced_by_a_fork_goes_on_with_the_forks_counts() -> None:
    own = [TokenSampler(Sampling(presence_penalty=1.0)) for _ in range(2)]
    together = RowSamplers.of(own, None)
    tokens, logits = mx.array([0, 1], dtype=mx.uint32), mx.zeros((2, 3))
    together.process(tokens, logits)
    assert own[0].penalties
    fork = own[0].penalties.fork()
    fork.apply(mx.array([2], dtype=mx.uint32), logits[:1])
    own[0].penalties = fork
    assert together.process(tokens, logits).tolist() == [[-1.0, 0.0, -1.0], [0.0, -1.0, 0.0]]


def test_the_same_samplers_are_prepared_once() -> None:
    own = samplers()
    together = RowSamplers.of(own, None)
    assert RowSamplers.of(list(own), together) is together
    assert RowSamplers.of(own[1:], together) is not together
