"""A worker with quantised KV caches: what it reports, that it answers, and what it reads back from disk."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from inference.core.events import Finished, TextDelta
from inference.core.pool_state import Loaded
from inference.pool import ProcessRunner
from tests.architectures import folders
from tests.fakes import card
from tests.nightly import nightly
from tests.pool.worker_models import OPTIONS, ask, chat
from tests.worker.kv_quantization.models import wide

pytestmark = pytest.mark.mlx
SHAPE: dict[str, Any] = {"head_dim": 64, "num_hidden_layers": 8}
PROMPT = "A prompt that is long enough to be worth keeping for its next turn. " * 3


async def served(folder: Path, prefixes: Path, bits: int) -> tuple[Loaded, str, int]:
    """What the worker reported, what it answered, and how much of the prompt it had already."""
    kept = {"prefix_cache_bytes": 10**8, "prefix_disk_bytes": 10**8, "prefix_disk_path": str(prefixes)}
    runner = ProcessRunner(msgspec.structs.replace(OPTIONS, **kept))
    loaded = await runner.load(card(path=str(folder), kv_bits=bits), lambda progress: None)
    events = await ask(runner, chat(PROMPT))
    await runner.stop()
    text = "".join(event.text for event in events if isinstance(event, TextDelta))
    (usage,) = (event.usage for event in events if isinstance(event, Finished))
    return loaded, text, usage.cached_tokens


@nightly
async def test_a_worker_has_the_bits_of_its_card_and_its_own_prefixes_for_them(tmp_path: Path) -> None:
    folder = folders.write("llama", tmp_path / "m", wide("llama", **SHAPE), **SHAPE)
    prefixes = tmp_path / "prefixes"
    whole, _, cached = await served(folder, prefixes, 0)
    eight, text, cached_by_others = await served(folder, prefixes, 8)
    again, same_text, cached_before = await served(folder, prefixes, 8)
    assert (whole.kv_bits, eight.kv_bits, again.kv_bits) == (0, 8, 8)
    assert eight.kv_bytes_per_token < 0.5 * whole.kv_bytes_per_token
    # Whole prefixes are never used with packed ones, and packed ones are read back.
    assert cached == cached_by_others == 0 and cached_before > len(PROMPT) / 2
    assert text == same_text
