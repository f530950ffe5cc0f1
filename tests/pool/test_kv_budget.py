"""How many requests fit under a memory limit, with whole KV caches and with quantised ones."""

import json
from pathlib import Path

from msgspec import structs

from inference.core.model_card import Choice, ModelCard
from inference.repository.catalog import Catalog
from tests.pool.scene import Scene, is_granted
from tests.tiny import make_tiny_model

TOKENS, GB = 1000, 10**9
SHAPE = {"head_dim": 64, "num_hidden_layers": 24}


def card_with(models: Path, bits: int, *, dequantises: bool) -> ModelCard:
    choices = {"tiny": Choice(kv_bits=bits)}
    catalog = Catalog(models, use_hub_cache=False, dequantises=dequantises, choices=lambda: choices)
    (card,) = catalog.scan()
    return structs.replace(card, resident_bytes=GB)  # what the fake worker reports


async def granted(models: Path, bits: int, *, streams: int, dequantises: bool) -> int:
    """How many requests of 1,000 tokens run at once where so many fit with whole caches."""
    whole, chosen = (card_with(models, each, dequantises=dequantises) for each in (0, bits))
    limit = chosen.load_bytes + streams * TOKENS * whole.kv_bytes_per_token
    scene = Scene(chosen, limit_bytes=limit, queue_limit=100)
    asked = [await scene.ask("tiny", TOKENS) for _ in range(6 * streams)]
    count = sum(map(is_granted, asked))
    await scene.leave(*asked)
    return count


async def test_twice_the_streams_fit(tmp_path: Path) -> None:
    config = make_tiny_model(tmp_path / "tiny") / "config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | SHAPE))
    fitting = {
        (dequantises, bits): await granted(tmp_path, bits, streams=5, dequantises=dequantises)
        for dequantises in (False, True)
        for bits in (0, 8, 4)
    }
    on_a_gpu, on_a_cpu = ([fitting[dequantises, bits] for bits in (0, 8, 4)] for dequantises in (False, True))
    assert on_a_gpu == [5, 8, 13] and on_a_cpu == [5, 14, 19]
