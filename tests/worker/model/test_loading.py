"""The small files of a model folder, in all published forms."""

import json
from pathlib import Path
from typing import Any

import mlx.core as mx
import pytest
from mlx.utils import tree_flatten

from inference.core.protocol import Load
from inference.core.requests import Sampling
from inference.worker.model.batch_support import BatchSupport
from inference.worker.model.load_failure import RefusedModel
from inference.worker.model.loaded_model import LoadedModel
from inference.worker.model.loading import load
from inference.worker.model.model_files import read_facts
from tests.architectures import folders
from tests.tiny import HEADS, HIDDEN, KV_HEADS, LAYERS, make_tiny_model

pytestmark = pytest.mark.mlx


@pytest.mark.parametrize(
    ("value", "template"),
    [
        ("one", "one"),
        ([{"name": "tool_use", "template": "two"}, {"name": "default", "template": "one"}], "one"),
        ([{"name": "tool_use", "template": "two"}], "two"),
        ([{"name": "tool_use", "template": "two"}, {"name": "rag", "template": "three"}], ""),
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
    return load(Load(model="m", path=str(folder), device="cpu", **options), lambda progress: None)


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
    settings = {"temperature": 0.6, "top_p": 7, "top_k": 20, "min_p": "x", "repetition_penalty": 1.05}
    (folder / "generation_config.json").write_text(json.dumps(settings))
    assert loaded(folder).own_sampling == Sampling(temperature=0.6, top_k=20, repetition_penalty=1.05)


def test_a_model_that_says_the_same_in_a_batch_is_batched(tmp_path: Path) -> None:
    model = loaded(make_tiny_model(tmp_path / "tiny"))
    assert model.support == BatchSupport() and all(f.about != "batch" for f in model.findings)


@pytest.mark.parametrize("name", ["llama4", "deepseek_v41", "phi3small"])
def test_one_that_does_not_is_served_one_request_at_a_time_and_says_so(tmp_path: Path, name: str) -> None:
    model = loaded(folders.write(name, tmp_path / name))
    assert not model.support.can_batch
    assert [finding.light for finding in model.findings if finding.about == "batch"] == ["amber"]


@pytest.mark.parametrize("name", ["rwkv7", "mamba", "jamba"])
def test_a_state_that_padding_disturbs_is_prefilled_by_itself(tmp_path: Path, name: str) -> None:
    support = loaded(folders.write(name, tmp_path / name)).support
    assert (support.can_batch, support.can_prefill_together) == (True, False)


def test_what_was_verified_is_kept_for_the_next_load(tmp_path: Path) -> None:
    folder, kept = folders.write("mamba", tmp_path / "mamba"), tmp_path / "kept"
    first = loaded(folder, batch_support_path=str(kept))
    (file,) = kept.iterdir()
    file.write_text(file.read_text().replace('"can_batch":true', '"can_batch":false'))
    again = loaded(folder, batch_support_path=str(kept))
    assert (first.support.can_batch, again.support.can_batch) == (True, False)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize("name", ["model.embed_tokens.weight", "model.layers.1.mlp.down_proj.weight"])
def test_weights_that_give_no_numbers_are_refused(tmp_path: Path, name: str, value: float) -> None:
    folder = make_tiny_model(tmp_path / "tiny")
    weights = mx.load(str(folder / "model.safetensors"))
    weights[name] = mx.full(weights[name].shape, value)  # type: ignore[index, call-overload, union-attr]
    mx.save_safetensors(str(folder / "model.safetensors"), weights, metadata={"format": "mlx"})  # type: ignore[arg-type]
    with pytest.raises(RefusedModel, match="damaged"):
        loaded(folder)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"rope_theta": float("inf")}, "rope_theta"),
        ({"rms_norm_eps": float("nan")}, "rms_norm_eps"),
        ({"rope_scaling": {"rope_type": "linear", "factor": float("-inf")}}, "rope_scaling.factor"),
        ({"layers": [1.0, float("inf")]}, "layers"),
    ],
)
def test_a_config_without_finite_numbers_is_refused_by_its_field(
    tmp_path: Path, change: dict[str, Any], field: str
) -> None:
    folder = make_tiny_model(tmp_path / "tiny")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | change))
    with pytest.raises(RefusedModel, match=f"^{field} in its config.json"):
        loaded(folder)


def test_an_open_bound_is_no_fault(tmp_path: Path) -> None:
    folder = folders.write("mamba2", tmp_path / "mamba2", time_step_limit=[0.0, float("inf")])
    assert loaded(folder).vocab_size == 320


def test_a_position_table_ends_the_context_whatever_the_config_says(tmp_path: Path) -> None:
    folder = folders.write("gpt2", tmp_path / "gpt2", max_position_embeddings=10**6)
    rows = mx.load(str(folder / "model.safetensors"))["model.wpe.weight"].shape[0]  # type: ignore[call-overload, union-attr]
    assert loaded(folder).context_length == rows


def test_a_kind_of_model_that_ends_the_process_is_refused(tmp_path: Path) -> None:
    folder = make_tiny_model(tmp_path / "tiny")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"model_type": "olmo"}))
    with pytest.raises(RefusedModel, match="needs another package"):
        loaded(folder)
