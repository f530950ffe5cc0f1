"""The list of suggested models, and which of them are shown for so much memory."""

import re

import pytest

from inference.repository.card_reader import Machine
from inference.serving import runtime
from inference.serving.discovery import suggested_models
from inference.serving.discovery.suggested_models import SUGGESTED
from tests.fakes import GB, FakeRunner, fake_pool


def test_each_has_an_id_of_the_hub_a_size_and_a_remark() -> None:
    sizes = [model.download_bytes for model in SUGGESTED]
    for model in SUGGESTED:
        assert re.fullmatch(r"mlx-community/[\w.-]+-4bit", model.id)
        assert model.remark and model.licence and model.download_bytes > 10**8
    assert len({model.id for model in SUGGESTED}) == len(SUGGESTED)
    assert sizes == sorted(sizes)


@pytest.mark.parametrize("model", SUGGESTED, ids=lambda model: model.id)
def test_a_size_is_that_of_the_parameters_in_its_name(model: suggested_models.SuggestedModel) -> None:
    named = re.search(r"-([\d.]+)B-", model.id)
    card = model.card(Machine(dequantises=False))
    assert named and card.quantization == "4bit"
    # Names count with or without embeddings and are rounded; a scale and a bias add an eighth.
    assert 0.85 < card.parameter_count / (float(named[1]) * 10**9) < 1.45
    assert model.download_bytes < card.resident_bytes < 1.2 * model.download_bytes
    assert card.kv_bytes_per_token > 10_000 and card.prefill_bytes > 0


def shown_ids(limit: int) -> list[str]:
    with runtime.use_pool(fake_pool([FakeRunner()], limit_bytes=limit)):
        return [one.model.id for one in suggested_models.for_this_server()]


def test_the_largest_that_fit_are_shown_by_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime, "dequantises", lambda: False)
    assert shown_ids(GB // 10) == []
    assert len(shown_ids(8 * GB)) == 4
    assert shown_ids(8 * GB)[-1] == "mlx-community/Qwen3-8B-4bit"
    assert shown_ids(500 * GB) == [model.id for model in SUGGESTED[-4:]]


def test_a_worker_that_dequantises_needs_more_than_is_downloaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime, "dequantises", lambda: True)
    assert shown_ids(8 * GB)[-1] == "mlx-community/Llama-3.2-1B-Instruct-4bit"


def test_the_whole_list_has_a_verdict_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime, "dequantises", lambda: False)
    with runtime.use_pool(fake_pool([FakeRunner()], limit_bytes=10 * GB)):
        everything = suggested_models.all_with_verdicts()
    assert [one.model for one in everything] == list(SUGGESTED)
    assert everything[0].verdict.outcome == "fits" and everything[-1].verdict.outcome == "too_large"
