"""Tiny models in this process, correct and broken ones, and a batch to run them."""

from pathlib import Path
from typing import Any

import mlx.core as mx
import mlx.nn as nn
from mlx_lm.models import mamba
from mlx_lm.models.cache import BatchKVCache, KVCache, RotatingKVCache
from mlx_lm.utils import load_model

from inference.core.requests import Sampling
from inference.worker.engine.batch import Batch
from inference.worker.engine.sequence import Prefilled, Sampled, Sequence
from tests.tiny import make_tiny_model

NEVER = frozenset({-1})


def tiny(folder: Path) -> nn.Module:
    model, _ = load_model(make_tiny_model(folder))
    model.set_dtype(mx.float32)
    return model


def recurrent() -> nn.Module:
    """A Mamba with random weights: a state instead of keys and values."""
    model = mamba.Model(
        mamba.ModelArgs(
            model_type="mamba",
            vocab_size=264,
            hidden_size=64,
            intermediate_size=128,
            state_size=8,
            num_hidden_layers=2,
            conv_kernel=4,
            use_bias=False,
            use_conv_bias=True,
            time_step_rank=8,
        )
    )
    mx.eval(model.parameters())
    return model


class Windowed(nn.Module):  # type: ignore[misc]
    """The model with sliding-window caches, which cannot be trimmed once the window has moved."""

    def __init__(self, model: nn.Module, window: int = 32) -> None:
        super().__init__()
        self.inner = model
        self._window = window

    @property
    def layers(self) -> Any:
        return self.inner.layers

    def make_cache(self) -> list[RotatingKVCache]:
        return [RotatingKVCache(max_size=self._window) for _ in self.layers]

    def __call__(self, inputs: mx.array, cache: Any = None) -> mx.array:
        made: mx.array = self.inner(inputs, cache=cache)
        return made


class Poisoned(nn.Module):  # type: ignore[misc]
    """The model, which fails whenever it is given the token `poison`, and above `most` sequences."""

    def __init__(self, model: nn.Module, poison: int, most: int = 99) -> None:
        super().__init__()
        self.inner = model
        self._poison = poison
        self._most = most

    @property
    def layers(self) -> Any:
        return self.inner.layers

    def __call__(self, inputs: mx.array, cache: Any = None) -> mx.array:
        if self._poison in mx.flatten(inputs).tolist():  # type: ignore[operator]
            raise RuntimeError("poisoned")
        if inputs.shape[0] > self._most:
            raise RuntimeError("not enough memory for so many rows")
        made: mx.array = self.inner(inputs, cache=cache)
        return made


class Unremovable(nn.Module):  # type: ignore[misc]
    """The model with caches whose first extraction from a batch fails, as for a lack of memory."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.inner = model
        UnremovableRows.is_short = True

    @property
    def layers(self) -> Any:
        return self.inner.layers

    def make_cache(self) -> list[KVCache]:
        return [UnremovableCache() for _ in self.layers]

    def __call__(self, inputs: mx.array, cache: Any = None) -> mx.array:
        made: mx.array = self.inner(inputs, cache=cache)
        return made


class UnremovableCache(KVCache):  # type: ignore[misc]  # mlx-lm is not typed
    @classmethod
    def merge(cls, caches: Any) -> Any:
        merged = BatchKVCache.merge(caches)
        merged.__class__ = UnremovableRows
        return merged


class UnremovableRows(BatchKVCache):  # type: ignore[misc]
    is_short = True

    def extract(self, index: int) -> Any:
        if UnremovableRows.is_short:
            UnremovableRows.is_short = False
            raise RuntimeError("no memory to take a sequence out")
        taken = super().extract(index)
        taken.__class__ = UnremovableCache
        return taken


class Counting(nn.Module):  # type: ignore[misc]
    """The model, which counts the tokens it computes."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.inner = model
        self.tokens = 0

    @property
    def layers(self) -> Any:
        return self.inner.layers

    def __call__(self, inputs: mx.array, cache: Any = None) -> mx.array:
        self.tokens += inputs.size
        made: mx.array = self.inner(inputs, cache=cache)
        return made


def sequence(
    number: int = 1, length: int = 40, *, start: int = 0, max_tokens: int = 12, **changes: Any
) -> Sequence:
    """A sequence with a prompt of its own; sampling fields may be given by name."""
    names = {
        "prompt",
        "stop_ids",
        "owner",
        "logprobs",
        "answered",
        "scores_prompt",
        "request",
        "thinking",
        "lora",
        "pictures",
    }
    names |= {"speculates", "prediction", "grammar", "rules", "decode", "checkpoints"}
    own = {name: changes.pop(name) for name in names & set(changes)}
    facts: dict[str, Any] = {
        "id": number,
        "prompt": tuple((start + i * 7) % 250 for i in range(length)),
        "max_tokens": max_tokens,
        "sampling": Sampling(**({"temperature": 0.0} | changes)),
        "stop_ids": NEVER,
    }
    return Sequence(**(facts | own))


def run(batch: Batch) -> dict[int, list[Sampled]]:
    """Step the batch until it is empty; returns the tokens of every sequence."""
    generated: dict[int, list[Sampled]] = {}
    while batch.is_busy:
        for output in batch.step():
            if isinstance(output, Sampled):
                generated.setdefault(output.id, []).append(output)
    return generated


def tokens(generated: list[Sampled]) -> list[int]:
    return [sampled.token for sampled in generated]


def cached(batch: Batch, *wanted: Sequence) -> list[int]:
    """How much of each prompt was known before; the sequences are run to their end."""
    found: dict[int, int] = {}
    for one in wanted:
        batch.add(one)
    while batch.is_busy:
        found |= {o.id: o.cached for o in batch.step() if isinstance(o, Prefilled)}
    return [found[one.id] for one in wanted]
