"""A model's small JSON files: read where they are sensible, and refused before they are parsed."""

import json
from pathlib import Path
from typing import Any

import pytest

from inference.repository.files.json_files import MOST_BYTES, UnreadableJson, read_keys, read_object

TOKENS = {str(number): {"content": f"<speech_{number}>", "special": True} for number in range(120_000)}


def write(folder: Path, name: str, content: Any) -> Path:
    path = folder / name
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def test_a_file_that_is_not_there_is_empty(tmp_path: Path) -> None:
    assert read_object(tmp_path / "config.json") == {} == read_keys(tmp_path / "config.json", "a")


def test_numbers_that_only_python_writes_are_read(tmp_path: Path) -> None:
    path = write(tmp_path, "config.json", '{"time_step_limit": [0.0, Infinity]}')
    assert read_object(path) == {"time_step_limit": [0.0, float("inf")]}


@pytest.mark.parametrize("key", ["auto_map", "auto\\u005fmap"])
@pytest.mark.parametrize("size", ["small", "large"])
def test_a_key_is_found_however_large_the_file_and_however_it_is_written(
    tmp_path: Path, key: str, size: str
) -> None:
    rest = json.dumps(TOKENS if size == "large" else {})
    path = write(tmp_path, "tokenizer_config.json", f'{{"added": {rest}, "{key}": {{"a": "evil.py"}}}}')
    assert (path.stat().st_size > 5 * 2**20) == (size == "large")
    assert list(read_keys(path, "model_file", "auto_map")) == ["auto_map"]


def test_a_large_file_without_the_keys_has_none_of_them(tmp_path: Path) -> None:
    assert read_keys(write(tmp_path, "tokenizer_config.json", TOKENS), "auto_map") == {}


@pytest.mark.parametrize("raw", ["[", "[]", "null", '{"a": [}', '{"a": 1} x'])
def test_a_large_file_that_is_no_object_is_refused(tmp_path: Path, raw: str) -> None:
    path = write(tmp_path, "tokenizer_config.json", raw + " " * 5 * 2**20)
    with pytest.raises(UnreadableJson):
        read_keys(path, "auto_map")


@pytest.mark.parametrize("name", MOST_BYTES)
def test_a_file_beyond_its_size_is_not_read(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    with path.open("wb") as file:
        file.truncate(MOST_BYTES[name] + 1)
    with pytest.raises(UnreadableJson):
        read_object(path)
