"""Starting quantisations in the site, and the memory that they claim in its pool."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from inference.core.errors import ModelNotFound
from inference.core.quantisation import QuantisationSettings
from inference.repository.conversions.active_conversion import ConversionState
from inference.repository.conversions.refusal import ConversionRefused
from inference.serving import quantising
from tests.repository.conversions.waiting import has_begun, has_ended, until
from tests.serving.quantising_site import QuantisingSite

FOUR = QuantisationSettings()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[QuantisingSite]:
    with QuantisingSite.of(tmp_path) as site:
        yield site


def test_it_is_planned_by_id_or_alias(site: QuantisingSite) -> None:
    assert quantising.plan("tiny", FOUR).job.name == "tiny-4bit"
    with pytest.raises(ModelNotFound, match="no model 'nobody'"):
        quantising.plan("nobody", FOUR)


def test_its_memory_is_held_in_the_pool_while_it_runs(site: QuantisingSite) -> None:
    planned = quantising.plan("tiny", FOUR)
    quantising.start(planned)
    until(site.register, has_begun)
    assert site.pool.snapshot().claimed_bytes == planned.prediction.needed_memory_bytes
    site.go()
    assert until(site.register, has_ended).state is ConversionState.DONE
    site.register.close()
    assert site.pool.snapshot().claimed_bytes == 0


def test_where_models_hold_the_memory_it_is_refused_and_evicts_nothing(site: QuantisingSite) -> None:
    site.load("large")
    with pytest.raises(ConversionRefused) as refused:
        quantising.start(quantising.plan("tiny", FOUR))
    text = str(refused.value)
    assert "Quantising tiny needs 0.6 GB of memory" in text and "Unload large (1.8 GB) first." in text
    assert "Without measuring the perplexity it needs less." in text
    assert site.pool.snapshot().of("large").state.is_in_memory and site.register.all() == ()


def test_one_that_waited_is_refused_when_its_turn_comes_without_memory(site: QuantisingSite) -> None:
    quantising.start(quantising.plan("tiny", FOUR))
    until(site.register, has_begun)
    quantising.start(quantising.plan("tiny", FOUR, name="second"))
    site.pool._ledger.limit = 600_000_000  # as if others had it by now
    site.go()
    ended = until(site.register, has_ended, "second")
    assert ended.state is ConversionState.FAILED and "raise MLX_SERVER_MEMORY_LIMIT" in ended.message


def test_a_machine_without_memory_refuses(site: QuantisingSite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quantising, "available", lambda: 10**6)
    with pytest.raises(ConversionRefused, match=r"this machine has 0\.0 GB for it: end other programs"):
        quantising.start(quantising.plan("tiny", FOUR))


def test_each_choice_has_its_prediction(site: QuantisingSite) -> None:
    found = quantising.predictions(quantising.find("tiny"))
    assert list(found)[:4] == ["8", "6", "5", "4"] and "mixed_4_6" in found
    assert found["4"].bytes < found["mixed_4_6"].bytes < found["8"].bytes
