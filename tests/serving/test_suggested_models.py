"""The list of suggested models, and which of them are shown for so much memory."""

import re

import pytest

from inference.serving import suggested_models
from inference.serving.suggested_models import SUGGESTED
from tests.fakes import GB, FakeRunner, serving


def test_each_has_an_id_of_the_hub_a_size_and_a_verdict() -> None:
    for model in SUGGESTED:
        assert re.fullmatch(r"[\w-]+/[\w.-]+", model.id)
        assert model.verdict and model.download_bytes > 10**8
    assert len({model.id for model in SUGGESTED}) == len(SUGGESTED)


@pytest.mark.parametrize("limit", [0, GB, 2 * GB, 8 * GB, 36 * GB, 500 * GB])
@pytest.mark.parametrize("dequantises", [True, False])
def test_what_is_shown_fits_and_is_ordered_by_size(limit: int, dequantises: bool) -> None:
    shown = suggested_models.fitting(limit, dequantises=dequantises)
    sizes = [model.download_bytes for model in shown]
    assert sizes == sorted(sizes) and len(shown) <= 4
    assert all(model.needed_bytes(dequantises=dequantises) <= limit for model in shown)


def test_a_worker_that_dequantises_needs_more_than_is_downloaded() -> None:
    assert suggested_models.fitting(8 * GB, dequantises=False)[-1].id == "mlx-community/Qwen3-8B-4bit"
    assert suggested_models.fitting(8 * GB, dequantises=True)[-1].id.endswith("1B-Instruct-4bit")
    assert suggested_models.fitting(10**8, dequantises=False) == []


def test_the_memory_of_this_server_decides() -> None:
    with serving(FakeRunner()):
        shown = suggested_models.for_this_server()
    assert shown and shown[-1].download_bytes < 10 * GB
