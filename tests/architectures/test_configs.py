"""Every architecture of the installed mlx-lm is made, and every part of each one matters to its logits.

In the gate those that are used most are made.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import mlx.core as mx
import mlx.nn as nn
import mlx_lm.models
import numpy as np
import pytest
from mlx.utils import tree_flatten
from mlx_lm.models.cache import CacheList, RotatingKVCache, make_prompt_cache

from tests.architectures.configs import ARCHITECTURES, MOST_USED, NOT_MADE, config, make
from tests.architectures.fields import VOCABULARY, WINDOW
from tests.nightly import of_each_kind

pytestmark = pytest.mark.mlx

PROMPT = [int(token) for token in np.random.default_rng(0).integers(0, VOCABULARY, 17)]
OTHER_FIRST = [(PROMPT[0] + 7) % VOCABULARY, *PROMPT[1:]]
MEGABYTE = 1_000_000
LARGER: dict[str, tuple[int, str]] = {
    "phi3small": (20, "It masks fixed places of its logits, up to 100351."),
    "prism_hadamard_qwen35": (4, "It packs rows of 128 weights and rotates blocks of 512."),
}
PACKED = {"prism_hadamard_qwen35": {mx.float32, mx.float16, mx.uint32}}


def logits(model: nn.Module, prompt: list[int]) -> np.ndarray:
    """Those of the shared vocabulary; some models have more, and write -inf there."""
    return np.array(model(mx.array([prompt]), cache=make_prompt_cache(model)))[..., :VOCABULARY]


def modules_with_a_model() -> Iterator[str]:
    """By their syntax: importing one of them may end the process."""
    for path in Path(mlx_lm.models.__path__[0]).glob("*.py"):
        names: set[str] = set()
        for statement in ast.parse(path.read_text()).body:
            if isinstance(statement, ast.ClassDef):
                names.add(statement.name)
            elif isinstance(statement, ast.ImportFrom):
                names.update(alias.asname or alias.name for alias in statement.names)
        if {"Model", "ModelArgs"} <= names:
            yield path.stem


def test_every_architecture_is_made_or_says_why_not() -> None:
    assert sorted([*ARCHITECTURES, *NOT_MADE]) == sorted(modules_with_a_model())


def test_few_are_not_made() -> None:
    assert len(ARCHITECTURES) >= 110 and all(NOT_MADE.values())


def test_the_most_used_are_made() -> None:
    assert set(MOST_USED) <= set(ARCHITECTURES) and len(MOST_USED) == len(set(MOST_USED))


@pytest.fixture(scope="module", params=of_each_kind(ARCHITECTURES, MOST_USED))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def model(name: str) -> nn.Module:
    """Made once: the tests of one architecture run one after the other."""
    return make(name)


def test_its_logits_are_finite_and_neither_uniform_nor_saturated(model: nn.Module) -> None:
    got = logits(model, PROMPT)
    assert got.shape == (1, len(PROMPT), VOCABULARY) and np.isfinite(got).all()
    assert 0.5 < got.std(axis=-1).mean() < 5


def test_the_first_token_matters_at_the_end(model: nn.Module) -> None:
    one, other = logits(model, PROMPT)[0, -1], logits(model, OTHER_FIRST)[0, -1]
    assert np.linalg.norm(one - other) > 1e-2 * np.linalg.norm(one)


def test_its_weights_are_few_and_in_single_precision(name: str, model: nn.Module) -> None:
    parameters = [array for _, array in tree_flatten(model.parameters())]
    most, _ = LARGER.get(name, (2, ""))
    assert sum(array.nbytes for array in parameters) < most * MEGABYTE
    assert {array.dtype for array in parameters} == PACKED.get(name, {mx.float32})


def test_a_prompt_of_40_tokens_goes_beyond_its_windows(model: nn.Module) -> None:
    caches = make_prompt_cache(model)
    parts = [part for cache in caches for part in (cache.caches if isinstance(cache, CacheList) else [cache])]
    # PLaMo 3's is one larger once a test of this process has installed the patches of mlx-lm.
    assert {part.max_size for part in parts if isinstance(part, RotatingKVCache)} <= {WINDOW, WINDOW + 1}


def test_a_config_is_a_new_one_each_time() -> None:
    config("gemma3")["text_config"].clear()
    assert config("gemma3")["text_config"]["vocab_size"] == VOCABULARY


def test_weights_depend_on_the_seed_alone() -> None:
    one, again, other = (logits(make("qwen3_next", seed), PROMPT) for seed in (1, 1, 2))
    assert np.array_equal(one, again) and not np.allclose(one, other, atol=0.1)
