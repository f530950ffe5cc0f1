"""The folders a run is made of."""

from pathlib import Path

from inference.core.blas import Blas
from inference.management.bench.models import Models, is_quantised, link, weight_files
from tests.tiny import make_tiny_model


def test_a_linked_model_has_all_files_and_no_second_copy(tmp_path: Path) -> None:
    source = make_tiny_model(tmp_path / "tiny")
    linked = link(source, tmp_path / "again")
    assert {file.name for file in linked.iterdir()} == {file.name for file in source.iterdir()}
    assert weight_files(linked)[0].samefile(weight_files(source)[0])


def test_the_second_model_is_the_first_under_another_name(tmp_path: Path) -> None:
    models = Models(tmp_path, make_tiny_model(tmp_path / "tiny"), None, None, Blas("bundled"))
    assert (models.first.name, models.second.name) == ("tiny", "tiny-second")
    assert models.first.parent == models.second.parent == models.folder


def test_quantised_models_are_recognised_by_their_config(tmp_path: Path) -> None:
    tiny = make_tiny_model(tmp_path / "tiny")
    assert not is_quantised(tiny)
    (tiny / "config.json").write_text('{"quantization": {"bits": 4, "group_size": 64}}')
    assert is_quantised(tiny)
