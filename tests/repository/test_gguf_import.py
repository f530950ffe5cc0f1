import os
import struct
import threading
from pathlib import Path
from typing import Any

import pytest

from inference.core.config import BASE_DIR
from inference.repository.files.gguf_types import BLOCKS
from inference.repository.gguf_import import ARCHITECTURES, ImportRefused, check, import_gguf
from inference.worker.conversion import architectures
from inference.worker.conversion.byte_level import SPLIT_RULES
from tests.gguf_files import tiny_weights, write_gguf
from tests.repository.files.test_gguf import TEXT, entry, gguf, text


@pytest.mark.parametrize("architecture", ["qwen2moe", "mistral3", "clip", "x" * 1000])
def test_other_architectures_are_refused_by_name(tmp_path: Path, architecture: str) -> None:
    path = tmp_path / "x.gguf"
    path.write_bytes(gguf([entry("general.architecture", TEXT, text(architecture))]))
    with pytest.raises(ImportRefused) as refused:
        import_gguf(path, tmp_path / "models" / "model")
    message = str(refused.value)
    assert repr(architecture[:40]) in message and "gemma3 can" in message and len(message) < 200
    assert not (tmp_path / "models").exists()


@pytest.mark.parametrize("entries", [[], [entry("general.architecture", 4, struct.pack("<I", 5))]])
def test_no_architecture_is_refused(tmp_path: Path, entries: list[bytes]) -> None:
    (tmp_path / "x.gguf").write_bytes(gguf(entries))
    with pytest.raises(ImportRefused, match="'unknown'"):
        check(tmp_path / "x.gguf")


def test_what_passes_the_check_is_what_the_conversion_knows() -> None:
    assert set(ARCHITECTURES) == set(architectures.ARCHITECTURES)


@pytest.mark.parametrize("kind", ["nowhere", "folder", "pipe"])
def test_what_is_no_file_is_refused(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "x.gguf"
    if kind == "folder":
        path.mkdir()
    if kind == "pipe":
        os.mkfifo(path)
    with pytest.raises(ImportRefused, match="not a file"):
        import_gguf(path, tmp_path / "model")


def test_a_name_that_is_taken_is_refused_and_kept(tmp_path: Path) -> None:
    (tmp_path / "x.gguf").write_bytes(gguf())
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "mine").write_text("x")
    with pytest.raises(ImportRefused, match="a model named model already"):
        import_gguf(tmp_path / "x.gguf", tmp_path / "model")
    assert (tmp_path / "model" / "mine").exists()


def test_a_place_that_cannot_be_written_is_refused_as_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "x.gguf").write_bytes(gguf())
    for target in (tmp_path / "x.gguf" / "model", tmp_path / ("m" * 300)):
        with pytest.raises(ImportRefused, match="cannot be written"):
            import_gguf(tmp_path / "x.gguf", target)


def listing(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*"))


@pytest.mark.mlx
@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"tokenizer.ggml.model": "rwkv"}, "the tokenizer kind 'rwkv' is not supported"),
        ({"tokenizer.ggml.tokens": ["a", "b"]}, "its vocabulary and its embedding are not of one size"),
    ],
)
def test_a_conversion_that_fails_leaves_nothing(tmp_path: Path, changes: dict[str, Any], reason: str) -> None:
    path = tmp_path / "x.gguf"
    write_gguf(path, tiny_weights(tmp_path / "t"), changes=changes)
    with pytest.raises(ImportRefused) as refused:
        import_gguf(path, tmp_path / "models" / "model")
    assert str(refused.value) == f"x.gguf cannot be converted: {reason}"
    assert listing(tmp_path / "models") == []


@pytest.mark.mlx
def test_an_import_ends_in_a_whole_folder_also_when_started_twice_at_once(tmp_path: Path) -> None:
    path = write_gguf(tmp_path / "x.gguf", tiny_weights(tmp_path / "t"), kind="Q8_0")
    outcomes: list[str] = []

    def start() -> None:
        try:
            import_gguf(path, tmp_path / "models" / "model")
            outcomes.append("made")
        except ImportRefused:
            outcomes.append("refused")

    threads = [threading.Thread(target=start) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["made", "refused"]
    assert listing(tmp_path / "models") == [
        *("config.json", "generation_config.json", "model", "model.safetensors", "tokenizer.json"),
        "tokenizer_config.json",
    ]


def test_what_can_be_imported_is_documented() -> None:
    page = (BASE_DIR / "docs" / "gguf.md").read_text()
    names = [*ARCHITECTURES, *(block.name for block in BLOCKS.values()), *SPLIT_RULES]
    assert [name for name in names if f"`{name}`" not in page] == []
