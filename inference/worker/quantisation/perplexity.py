"""The perplexity of a model on a text, as mlx_lm/perplexity.py computes it: in windows side by side."""

import gc
import math
from collections.abc import Callable, Sequence
from pathlib import Path

import mlx.core as mx
import mlx.nn as nn
import numpy as np

from inference.core.quantisation import Perplexity
from inference.worker.model import cpu
from inference.worker.model.tokenizer import HubTokenizer
from inference.worker.model.weights import lazy_model, materialise

Windows = Sequence[Sequence[int]]
_LEAST_TOKENS = 2  # of a window: one to predict, and one before it
# Lewis Carroll's book of 1865, which is in the public domain, in Project Gutenberg's edition (Millennium
# Fulcrum 2.9; also alice29.txt of the Canterbury corpus), with the ends of lines of Unix.
TEXT_NAME = "Alice's Adventures in Wonderland, chapters I and II"
_TEXT = Path(__file__).parent / "alice.txt"
_MOST_WINDOWS = 16


def text_windows(tokenizer: HubTokenizer, length: int) -> list[list[int]]:
    """The text that ships, in windows of so many tokens: at most 16, and no shorter one at its end.

    Each begins with the token that the model's texts begin with, where it has one.
    """
    begin = tokenizer.begin_ids
    ids = tokenizer.encode(_TEXT.read_text())
    step = max(length - len(begin), 1)
    starts = range(0, len(ids) - step + 1, step)[:_MOST_WINDOWS]
    return [begin + ids[start : start + step] for start in starts if length >= _LEAST_TOKENS]


def of_folder(folder: Path, windows: Windows, *, device: str, on_tokens: Callable[[int], None]) -> Perplexity:
    """Load a model as a worker does, and measure it; its memory is free afterwards.

    Raises ArithmeticError when it gives no finite number.
    """
    model = lazy_model(folder, {})
    if device == "cpu":
        model = cpu.prepared(model, lambda percent: None)
    materialise(model, lambda percent: None)
    try:
        return of_model(model, windows, on_tokens)
    finally:
        del model
        gc.collect()
        mx.clear_cache()


def of_model(model: nn.Module, windows: Windows, on_tokens: Callable[[int], None]) -> Perplexity:
    """The perplexity and its standard error; `on_tokens` gets how many more were predicted."""
    losses: list[float] = []
    for window in windows:
        found = _losses(model, window)
        losses += found
        on_tokens(len(found))
    values = np.array(losses)
    value = math.exp(min(float(values.mean()), 700.0)) if len(values) else math.nan
    error = float(values.std(ddof=1)) / math.sqrt(len(values)) if len(values) > 1 else 0.0
    if not math.isfinite(value * error):
        raise ArithmeticError("the model gives no finite numbers")
    return Perplexity(value=value, error=value * error)


def _losses(model: nn.Module, window: Sequence[int]) -> list[float]:
    tokens = mx.array([list(window)])
    logits = model(tokens[:, :-1]).astype(mx.float32)
    losses = nn.losses.cross_entropy(logits, tokens[:, 1:], reduction="none")
    return [float(loss) for loss in losses.flatten().tolist()]
