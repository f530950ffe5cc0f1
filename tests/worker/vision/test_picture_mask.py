"""The masks of pictures that are seen both ways, and what transformers' rules say of each pair of tokens."""

from collections.abc import Sequence
from typing import Any

import mlx.core as mx
import numpy as np
import pytest
from mlx_lm.models import base, gemma3_text
from mlx_lm.models.cache import BatchKVCache, BatchRotatingKVCache, KVCache, RotatingKVCache

from inference.worker.model import mlx_lm_patches
from inference.worker.model.mlx_lm_patches import UnknownMlxLm
from inference.worker.vision.picture_mask import with_pictures
from inference.worker.vision.places import place
from inference.worker.vision.rows import PictureRow, picture_rows
from inference.worker.vision.seen import Attention, Seen, digest_of

pytestmark = pytest.mark.mlx
IMAGE, WINDOW = 9, 4
make = with_pictures(base.create_attention_mask)


def row(prompt: list[int], *tokens: int, attention: Attention = "both_ways") -> PictureRow:
    view = np.zeros((1, 1, 1, 3), np.uint8)
    return PictureRow(
        place(prompt, IMAGE, [Seen(view, "", count, digest_of(b""), attention=attention) for count in tokens])
    )


def mask_of(
    rows: Sequence[PictureRow | None], length: int, cache: Any = None, window: int | None = None
) -> Any:
    with picture_rows(rows, [0] * len(rows)):
        return make(mx.zeros((len(rows), length, 1)), cache, window_size=window)


def rule(prompt: list[int], length: int, window: int | None) -> Any:
    """Which token sees which, pair by pair: AND(window, OR(causal, same picture))."""
    numbers, number = [], 0
    for before, token in zip([0, *prompt], prompt, strict=False):
        number += token == IMAGE and before != IMAGE
        numbers.append(number if token == IMAGE else 0)

    def sees(query: int, key: int) -> bool:
        is_near = window is None or key > query - window
        is_same = numbers[query] == numbers[key] > 0
        return is_near and (key <= query or is_same)

    return [[sees(query, key) for key in range(length)] for query in range(length)]


@pytest.mark.parametrize("window", [None, WINDOW])
def test_a_mask_is_that_of_transformers(window: int | None) -> None:
    # The second picture is longer than the window.
    prompts = [[1, 9, 9, 9, 2, 9, 9, 9, 9, 9, 9, 3], [1, 1, 9, 9, 9, 3, 1, 1, 1, 1, 1, 1]]
    rows = [row(prompts[0], 3, 6), row(prompts[1], 3)]
    want = [[rule(prompt, 12, window)] for prompt in prompts]
    assert np.array(mask_of(rows, 12, window=window)).tolist() == want
    single = RotatingKVCache(max_size=WINDOW) if window else KVCache()
    assert np.array(mask_of(rows[:1], 12, single, window)).tolist() == want[:1]
    shared = BatchRotatingKVCache(WINDOW, [0, 0]) if window else BatchKVCache([0, 0])
    assert np.array(mask_of(rows, 12, shared, window)).tolist() == want


def test_what_is_in_the_caches_stays_as_it_was() -> None:
    prompt = [1, 2, 9, 9, 9, 3]
    cache = KVCache()
    cache.update_and_fetch(mx.zeros((1, 1, 2, 4)), mx.zeros((1, 1, 2, 4)))
    with picture_rows([row(prompt, 3)], [2]):
        got = np.array(make(mx.zeros((1, 4, 1)), cache))[0, 0]
    assert got.tolist() == rule(prompt, 6, None)[2:]


def test_text_and_causal_pictures_have_the_masks_of_mlx_lm() -> None:
    prompt = [1, 9, 9, 2, 3]
    assert make(mx.zeros((1, 5, 1))) == "causal"  # outside of a pass with pictures
    assert mask_of([row(prompt, 2, attention="causal")], 5) == "causal"
    assert mask_of([row(prompt, 2, attention="both_ways_in_windows")], 5) == "causal"
    in_window = mask_of([row(prompt, 2, attention="both_ways_in_windows")], 5, window=WINDOW)
    assert np.array(in_window)[0, 0].tolist() == rule(prompt, 5, WINDOW)
    assert mask_of([row(prompt, 2)], 1) is None
    with picture_rows([row(prompt, 2)], [3]):  # behind the picture
        assert make(mx.zeros((1, 2, 1))) == "causal"


def test_it_is_installed_once_and_only_where_mlx_lm_has_such_a_function(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(gemma3_text, "create_attention_mask", base.create_attention_mask)
    for _ in range(2):
        mlx_lm_patches.install_mask("gemma3_text", with_pictures)
    installed: Any = gemma3_text.create_attention_mask
    assert installed.__wrapped__ is base.create_attention_mask
    monkeypatch.delattr(gemma3_text, "create_attention_mask")
    with pytest.raises(UnknownMlxLm):
        mlx_lm_patches.install_mask("gemma3_text", with_pictures)
