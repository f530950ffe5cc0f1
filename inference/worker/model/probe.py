"""A first forward pass: it measures a loaded model, compiles its kernels and finds damaged weights."""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import numpy as np
from mlx.utils import tree_flatten
from mlx_lm.models.cache import make_prompt_cache

from inference.worker.model import judge_prompt
from inference.worker.model.load_failure import RefusedModel
from inference.worker.model.loaded_model import LoadedModel
from inference.worker.model.rerankers import Qwen3Reranker

_DAMAGED = "its weights produce NaN or infinity: they are damaged"
_PROBE_TOKENS = [0, 1, 2, 3]  # token ids that every vocabulary has


def with_text_probe(loaded: LoadedModel) -> LoadedModel:
    """The text model with its vocabulary size and the bytes that a token adds to its KV cache.

    1. Compute four tokens, (1, 4) int32 to (1, 4, V) logits. The device compiles its kernels here, so the
       first request does not wait for them.
    2. Raise RefusedModel if the last logits are NaN or infinite: the weights are damaged.
    3. Take V as the vocabulary size: a token id of V or more would read past the embedding.
    4. Sum the bytes per token of the cache arrays that grow.
    """
    caches = make_prompt_cache(loaded.model)
    logits = loaded.model(mx.array([_PROBE_TOKENS]), cache=caches)
    last = np.array(logits[0, -1].astype(mx.float32))
    # Some models have minus infinity for the tokens that pad their vocabulary.
    if np.isnan(last).any() or not np.isfinite(last.max()):
        raise RefusedModel(_DAMAGED)
    return replace(loaded, vocab_size=int(logits.shape[-1]), kv_bytes_per_token=growing_bytes(caches))


def growing_bytes(caches: list[Any]) -> int:
    """The bytes that a token adds to caches which have some tokens."""
    growing = [leaf for cache in caches for _, leaf in tree_flatten(cache.state) if _grows(leaf)]
    return sum(leaf.nbytes // leaf.shape[2] for leaf in growing)


def with_embedding_probe(loaded: LoadedModel) -> LoadedModel:
    """The embedding model with its vocabulary and vector size, without the findings of a chat self-test.

    Computes one token, (1, 1) int32 to hidden states (1, 1, size). Raises RefusedModel for damaged weights.
    """
    if isinstance(loaded.model, Qwen3Reranker):
        loaded.model.set_answers(*judge_prompt.answers(loaded.tokenizer))
    hidden = loaded.encoder.encode(mx.array([[0]]), mx.array([1]), loaded.encoder.new_cache())
    mx.eval(hidden)
    if not np.isfinite(np.array(hidden.astype(mx.float32))).all():
        raise RefusedModel(_DAMAGED)
    size = int(hidden.shape[-1])
    return replace(loaded, vocab_size=loaded.encoder.vocab_size, vector_size=size, findings=())


def position_table_sizes(model: nn.Module) -> Iterator[int]:
    """Rows of learnt position tables. MLX does not check bounds: a position beyond reads foreign memory."""
    for name, array in tree_flatten(model.parameters()):
        if re.search(r"(^|\.)(wpe|position_embeddings?|embed_positions)\.weight$", name):
            yield array.shape[0]


def _grows(leaf: object) -> bool:
    """Keys and values, shape (1, heads, tokens, size); recurrent states have fewer dimensions."""
    return isinstance(leaf, mx.array) and leaf.ndim == 4 and leaf.shape[2] > 0
