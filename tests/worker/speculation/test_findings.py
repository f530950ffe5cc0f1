"""Why a model decodes plainly."""

from dataclasses import replace
from pathlib import Path

import pytest
from mlx_lm.models.cache import KVCache

from inference.worker.kv_quantization.packed_numbers import PackedLayout
from inference.worker.kv_quantization.quantized_kv import QuantizedKV
from inference.worker.model.batch_support import BatchSupport
from inference.worker.model.loaded_model import LoadedModel
from inference.worker.speculation.findings import findings_of
from tests.worker.models import Windowed, recurrent, tiny
from tests.worker.sampling.test_grammar import loaded

pytestmark = pytest.mark.mlx


@pytest.fixture
def model(tmp_path: Path) -> LoadedModel:
    return replace(loaded()[0], model=tiny(tmp_path / "tiny"))


def test_a_model_with_plain_caches_has_none(model: LoadedModel) -> None:
    assert findings_of(model, "lookup") == ()


def test_nor_has_one_with_packed_caches(model: LoadedModel) -> None:
    caches = [QuantizedKV(PackedLayout(8, 32)), KVCache()]
    model.model.make_cache = lambda: list(caches)
    assert findings_of(model, "lookup") == ()


def test_caches_that_cannot_be_rolled_back_are_named(model: LoadedModel) -> None:
    (windowed,) = findings_of(replace(model, model=Windowed(model.model)), "lookup")
    (recurring,) = findings_of(replace(model, model=recurrent()), "lookup")
    assert "RotatingKVCache" in windowed.text and "ArraysCache" in recurring.text
    assert {one.light for one in (windowed, recurring)} == {"green"}


def test_a_model_that_computes_requests_one_at_a_time_has_one(model: LoadedModel) -> None:
    (found,) = findings_of(replace(model, support=BatchSupport(can_batch=False)), "lookup")
    assert (found.about, "one at a time" in found.text) == ("speculation", True)


def test_nothing_is_found_where_nothing_is_to_be_drafted(model: LoadedModel) -> None:
    windowed = replace(model, model=Windowed(model.model))
    assert findings_of(windowed, "off") == ()
