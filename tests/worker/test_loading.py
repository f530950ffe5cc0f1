"""What a model's small files say, in the forms they come in."""

import json
from pathlib import Path
from typing import Any

import mlx.core as mx
import pytest
from mlx.utils import tree_flatten

from inference.protocol import Load
from inference.requests import Sampling
from inference.worker.loading import LoadedModel, load, read_facts
from tests.tiny import HEADS, HIDDEN, KV_HEADS, LAYERS, make_tiny_model

pytestmark = pytest.mark.mlx


@pytest.mark.parametrize(
    ("value", "template"),
    [
        ("one", "one"),
        ([{"name": "tool_use", "template": "two"}, {"name": "default", "template": "one"}], "one"),
        ([{"name": "tool_use", "template": "two"}], ""),
        (["nonsense", 5], ""),
        (None, ""),
    ],
)
def test_the_template_of_a_plain_chat_is_found(tmp_path: Path, value: Any, template: str) -> None:
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({"chat_template": value}))
    assert read_facts(tmp_path).chat_template == template


def test_a_template_of_its_own_file_comes_first(tmp_path: Path) -> None:
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({"chat_template": "old"}))
    (tmp_path / "chat_template.jinja").write_text("new")
    assert read_facts(tmp_path).chat_template == "new"


def loaded(folder: Path, **options: Any) -> LoadedModel:
    return load(Load(model="m", path=str(folder), device="cpu", **options), lambda percent: None)


def test_each_token_of_a_sequence_costs_its_keys_and_values(tmp_path: Path) -> None:
    model = loaded(make_tiny_model(tmp_path / "tiny"))
    head_size = HIDDEN // HEADS
    assert model.kv_bytes_per_token == LAYERS * 2 * KV_HEADS * head_size * 4


def test_a_cpus_layout_changes_no_weight(tmp_path: Path) -> None:
    folder = make_tiny_model(tmp_path / "tiny")
    stored = mx.load(str(folder / "model.safetensors"))
    kept = dict(tree_flatten(loaded(folder).model.parameters()))
    assert all(mx.allclose(kept[name], array) for name, array in stored.items())  # type: ignore[union-attr]


def test_the_makers_sampling_is_taken_where_it_makes_sense(tmp_path: Path) -> None:
    folder = make_tiny_model(tmp_path / "tiny")
    told = {"temperature": 0.6, "top_p": 7, "top_k": 20, "min_p": "x", "repetition_penalty": 1.05}
    (folder / "generation_config.json").write_text(json.dumps(told))
    assert loaded(folder).own_sampling == Sampling(temperature=0.6, top_k=20, repetition_penalty=1.05)
