"""Generates docs/families.md from measurements: `python -m tests.architectures.document`."""

import tempfile
from pathlib import Path
from typing import Any

import mlx.nn as nn
from mlx_lm.models.cache import CacheList, make_prompt_cache

from inference.core.config import BASE_DIR
from inference.worker.kv_quantization.plan import NO_GROWTH, SINKS, planned
from inference.worker.model import mlx_lm_patches
from inference.worker.model.batch_support import BatchSupport
from inference.worker.model.batch_verification import verified
from inference.worker.prefix_cache.layers import can_always_trim
from inference.worker.speculation.findings import obstacle
from tests.architectures import configs
from tests.architectures.comparison import SERVING_MODES, TOLERANCE, VOCABULARY, Serving

_KINDS = {
    "KVCache": "full",
    "ConcatenateKVCache": "full",
    "RotatingKVCache": "sliding window",
    "ChunkedKVCache": "chunks",
    "ArraysCache": "recurrent",
}
PAGE = BASE_DIR / "docs" / "families.md"
INTRODUCTION = """\
# Model families

This page lists the architectures of mlx-lm and how this server serves each of them. The table is generated
by `python -m tests.architectures.document`. For every architecture, it creates a tiny model with random
weights and generates in every serving mode: alone, in a batch with others, joining and leaving a batch,
several completions of one prompt, a continued or edited conversation, and prefixes restored from disk. It
compares the log probability of each token with that of the model running alone. A nightly run repeats the
comparison; each commit is checked with {in_gate} of the architectures, one of each kind of cache.

- **Served**: *batched* means that requests are decoded as rows of one batch. *One at a time* means that the
  requests take turns, one token each, because batching this architecture would change its output. Every
  model is verified at its first load, so architectures that are not in the table are served correctly, too.
- **Prompts**: *together* means that short prompts share a prefill chunk. *One by one* is used for
  architectures with recurrent state, which padding would corrupt.
- **Prefixes**: *any* means that any common prefix of two prompts is computed once. *At messages* means that
  caches which cannot be trimmed are saved at message boundaries. *None* means that caches of this
  architecture cannot be reused.
- **KV cache**: what layers keep of earlier tokens. *Full* grows with the context. A *sliding window* keeps
  the latest tokens, *chunks* those of the current chunks. *Recurrent* states, also those of convolutions,
  have one size. With `+`, layers differ; with `&`, a layer has both.
- **Quantised**: whether 8 or 4 bits for KV caches have an effect. They are for layers that are full and whose
  cache the model does not read itself; see [engine.md](engine.md#quantised-kv-caches).
- **Speculation**: whether caches can be rolled back row by row, so that drafted tokens are verified in the
  batch; see [engine.md](engine.md#speculation).

| architecture | served | prompts | prefixes | KV cache | quantised | speculation | remarks |
| --- | --- | --- | --- | --- | --- | --- | --- |
"""


def row(name: str) -> str:
    """The table row of one architecture."""
    if name in configs.NOT_MADE:
        return _line(name, "not tested", "", "", "", "", "", configs.NOT_MADE[name])
    mlx_lm_patches.patch_models()
    model = configs.make(name)
    support = verified(model, VOCABULARY)
    is_trimmable = support.can_trim_prefixes and can_always_trim(make_prompt_cache(model))
    prefixes = "any" if is_trimmable else "at messages"
    return _line(
        name,
        "batched" if support.can_batch else "one at a time",
        "together" if support.can_prefill_together else "one by one",
        prefixes if support.can_reuse_prefixes else "none",
        *kv_cells(model, support),
        _remark(name, support),
    )


def kv_cells(model: nn.Module, support: BatchSupport) -> tuple[str, str, str]:
    """What the model's caches are, and whether they are quantised and rolled back."""
    caches = make_prompt_cache(model)
    kinds = dict.fromkeys(_kind(cache) for cache in caches)
    grows = {place for place, why in planned(model, 8).kept.items() if why not in (NO_GROWTH, SINKS)}
    drafts = not obstacle(model, support)
    return " + ".join(kinds), "yes" if grows else "no", "yes" if drafts else "no"


def _kind(cache: Any) -> str:
    if isinstance(cache, CacheList):
        return " & ".join(dict.fromkeys(_kind(one) for one in cache.caches))
    return _KINDS.get(type(cache).__name__, f"its own ({type(cache).__name__})")


def wrong_ways(name: str) -> list[str]:
    """The serving modes whose output differs from that of the model running alone."""
    model = configs.make(name)
    support = verified(model, VOCABULARY)
    wrong = []
    for mode, serve in SERVING_MODES.items():
        with tempfile.TemporaryDirectory() as folder:
            serving = Serving(model, support, Path(folder))
            if any(serving.distance(served) > TOLERANCE for served in serve(serving)):
                wrong.append(mode)
    return wrong


def names() -> list[str]:
    return sorted([*configs.ARCHITECTURES, *configs.NOT_MADE], key=str.lower)


def _line(*cells: str) -> str:
    name, *others = cells
    return f"| {' | '.join([f'`{name}`', *others])} |"


def _remark(name: str, support: BatchSupport) -> str:
    reason = support.reason or configs.REMARKS.get(name, "")
    named = reason if reason.startswith("mlx-lm") else reason[:1].upper() + reason[1:]
    return f"{named}." if reason else ""


def main() -> None:
    mlx_lm_patches.patch_models()
    lines = []
    for name in names():
        lines.append(row(name))
        wrong = wrong_ways(name) if name in configs.ARCHITECTURES else []
        print(name, *(f"WRONG: {mode}" for mode in wrong), flush=True)
    text = INTRODUCTION.format(in_gate=len(configs.OF_EACH_CACHE)) + "\n".join(lines) + "\n"
    PAGE.write_text(text)


if __name__ == "__main__":
    main()
