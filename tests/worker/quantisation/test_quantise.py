"""Tiny models of many families, quantised in this process; what a real worker makes of some of them."""

import json
from pathlib import Path

import mlx.nn as nn
import pytest
from mlx_lm.utils import load_model

from inference.core import disk_space
from inference.core.conversion import ConversionProgress
from inference.core.quantisation import REPORT_FILE, QuantisationSettings
from inference.repository.catalog import Catalog
from inference.repository.quantising.report_file import read_report
from inference.worker.model.load_failure import RefusedModel
from inference.worker.quantisation.quantise import DiskTooFull, quantise
from tests.architectures import folders
from tests.architectures.configs import MOST_USED
from tests.nightly import of_each_kind
from tests.tiny import make_tiny_model
from tests.worker.quantisation.jobs import job_of, plan_of

pytestmark = pytest.mark.mlx


def nobody(progress: ConversionProgress) -> None:
    """Takes a progress that the test does not look at."""


@pytest.mark.parametrize("family", of_each_kind(list(MOST_USED), ["gemma3", "gpt_oss", "nemotron_h"]))
def test_every_family_is_quantised_and_loads(tmp_path: Path, family: str) -> None:
    settings = QuantisationSettings(group_size=32)
    planned = plan_of(folders.write(family, tmp_path / family), settings, measures=False)
    report = quantise(planned.job, nobody)
    assert report.bytes < report.source_bytes / 3
    assert 0.6 < report.bytes / planned.prediction.bytes < 1.3
    model, _ = load_model(Path(planned.job.target_path))
    assert [layer for _, layer in model.named_modules() if isinstance(layer, nn.QuantizedLinear)]


@pytest.mark.parametrize("bits", [8, 6, 5, 4])
def test_each_number_of_bits_is_what_the_layers_have(tmp_path: Path, bits: int) -> None:
    job = job_of(make_tiny_model(tmp_path / "tiny"), bits=bits, group_size=64, measures=False)
    report = quantise(job, nobody)
    model, config = load_model(Path(job.target_path))
    assert {layer.bits for _, layer in model.named_modules() if hasattr(layer, "bits")} == {bits}
    assert (config["quantization"]["bits"], config["quantization"]["group_size"]) == (bits, 64)
    assert bits < report.bits_per_weight < bits + 1.2


@pytest.mark.parametrize(("recipe", "bits"), [("mixed_2_6", {2, 6}), ("mixed_3_4", {3, 4})])
def test_a_recipe_mixes_bits(tmp_path: Path, recipe: str, bits: set[int]) -> None:
    job = job_of(make_tiny_model(tmp_path / "tiny"), recipe=recipe, group_size=64, measures=False)
    quantise(job, nobody)
    model, _ = load_model(Path(job.target_path))
    assert {layer.bits for _, layer in model.named_modules() if hasattr(layer, "bits")} == bits


def test_the_result_is_a_model_folder_with_the_files_of_its_source(tmp_path: Path) -> None:
    source = make_tiny_model(tmp_path / "tiny")
    (source / "LICENSE").write_text("Do as you like.")
    (source / "generation_config.json").write_text(json.dumps({"temperature": 0.3}))
    quantise(job_of(source, measures=False), nobody)
    made = tmp_path / "tiny-4bit"
    for name in ("LICENSE", "tokenizer.json", "tokenizer_config.json", "generation_config.json"):
        assert (made / name).read_bytes() == (source / name).read_bytes()
    assert sorted(path.name for path in made.iterdir()) == [
        *("LICENSE", "config.json", "generation_config.json", "model.safetensors"),
        *("model.safetensors.index.json", REPORT_FILE, "tokenizer.json", "tokenizer_config.json"),
    ]
    cards = {card.id: card for card in Catalog(tmp_path, use_hub_cache=False).scan()}
    card = cards["tiny-4bit"]
    assert (card.problem, card.quantization, card.own_sampling.temperature) == ("", "4bit", 0.3)
    assert card.parameter_count == cards["tiny"].parameter_count
    report = read_report(made)
    assert report and (report.source, report.bytes, report.perplexity) == ("tiny", card.weight_bytes, None)


def test_its_progress_grows_to_the_end_of_each_step(tmp_path: Path) -> None:
    seen: list[ConversionProgress] = []
    report = quantise(job_of(make_tiny_model(tmp_path / "tiny", context=64)), seen.append)
    assert [step.name for step in seen[0].steps] == ["quantise", "measure_source", "measure_result"]
    done = [sum(step.done for step in progress.steps) for progress in seen]
    assert done == sorted(done) and all(step.done == step.size > 0 for step in seen[-1].steps)
    assert report.perplexity and report.perplexity.window == 64
    assert abs(report.perplexity.after.value / report.perplexity.before.value - 1) < 0.2


def test_groups_that_fit_no_row_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.tiny.FFN", 64)
    job = job_of(make_tiny_model(tmp_path / "tiny"), group_size=128, measures=False)
    with pytest.raises(RefusedModel, match="rows of whole groups of 128; choose smaller groups"):
        quantise(job, nobody)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["tiny"]


def test_a_recipe_for_a_model_without_its_layers_is_refused(tmp_path: Path) -> None:
    job = job_of(folders.write("mamba", tmp_path / "mamba"), recipe="mixed_4_6", measures=False)
    with pytest.raises(RefusedModel, match="which it has not; choose bits instead"):
        quantise(job, nobody)
    assert not list(tmp_path.glob(".*")) and not (tmp_path / "mamba-mixed_4_6").exists()


def test_what_is_there_already_stays(tmp_path: Path) -> None:
    job = job_of(make_tiny_model(tmp_path / "tiny"), measures=False)
    (tmp_path / "tiny-4bit").mkdir()
    with pytest.raises(FileExistsError):
        quantise(job, nobody)
    assert list((tmp_path / "tiny-4bit").iterdir()) == []


def test_a_disk_that_others_filled_meanwhile_ends_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job = job_of(make_tiny_model(tmp_path / "tiny"), measures=False)
    monkeypatch.setattr(disk_space, "SPARE_BYTES", 10**18)
    with pytest.raises(DiskTooFull, match=r"tiny-4bit needs 0\.0 GB and the disk has"):
        quantise(job, nobody)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["tiny"]
