"""The conversion in a process of its own, as it always runs; its variations in this one, which is quicker.

Its folders are loaded by mlx_lm in this process.
"""

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from tokenizers import Tokenizer

from inference.core.gguf_import import GgufImportJob
from inference.repository.card_reader import Machine, make_card
from inference.repository.files.safetensors import read_tensors
from inference.repository.gguf_import import ImportRefused, import_gguf
from tests.gguf_files import ADDED, USER_DEFINED, Weights, tiny_weights, vocabulary, write_gguf
from tests.tiny import LAYERS
from tests.worker.conversion.importing import import_here

pytestmark = pytest.mark.mlx
Convert = Callable[..., Path]


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Weights:
    return tiny_weights(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="module")
def converted(weights: Weights, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny model, through an F16 GGUF file."""
    folder = tmp_path_factory.mktemp("models")
    write_gguf(folder / "x.gguf", weights, changes={"tokenizer.ggml.add_bos_token": True})
    import_gguf(folder / "x.gguf", folder / "model")
    return folder / "model"


@pytest.fixture
def convert(weights: Weights, tmp_path: Path) -> Convert:
    def convert(weights: Weights = weights, **options: Any) -> Path:
        write_gguf(tmp_path / "x.gguf", weights, **options)
        import_here(tmp_path / "x.gguf", tmp_path / "model")
        return tmp_path / "model"

    return convert


def read(folder: Path, name: str = "config.json") -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / name).read_text())
    return found


def loaded(folder: Path) -> Mapping[str, Any]:
    """The weights mlx_lm ends up with, in plain numbers, by name."""
    import mlx.core as mx
    from mlx.utils import tree_flatten
    from mlx_lm.utils import dequantize_model, load_model

    mx.set_default_device(mx.cpu)
    model = dequantize_model(load_model(folder)[0])
    return {name: np.array(array.astype(mx.float32)) for name, array in tree_flatten(model.parameters())}


def farthest(found: Mapping[str, Any], wanted: Weights) -> float:
    assert set(found) == set(wanted)
    return max(float(np.abs(found[name] - wanted[name]).max()) for name in wanted)


def test_f16_weights_come_back_in_the_order_mlx_wants(converted: Path, weights: Weights) -> None:
    assert farthest(loaded(converted), weights) < 1e-3


def test_f16_weights_stay_unquantised(converted: Path) -> None:
    assert "quantization" not in read(converted)
    assert {tensor.dtype for tensor in read_tensors(converted)} == {"F16"}


@pytest.mark.parametrize(("kind", "bits", "error"), [("Q8_0", 8, 0.01), ("Q4_0", 4, 0.16), ("Q4_1", 4, 0.09)])
def test_quantised_weights_stay_packed_and_mean_the_same(
    convert: Convert, weights: Weights, kind: str, bits: int, error: float
) -> None:
    folder = convert(kind=kind)
    assert read(folder)["quantization"] == {"group_size": 32, "bits": bits}
    assert "U32" in {tensor.dtype for tensor in read_tensors(folder)}
    assert farthest(loaded(folder), weights) < error


def test_each_layer_keeps_its_own_bits(convert: Convert, weights: Weights) -> None:
    folder = convert(kind="Q4_1", kinds={"token_embd.weight": "Q8_0", "blk.1.attn_v.weight": "Q8_0"})
    eight = {"group_size": 32, "bits": 8}
    assert read(folder)["quantization"] == {
        **{"group_size": 32, "bits": 4, "model.embed_tokens": eight},
        **{"model.layers.1.self_attn.v_proj": eight},
    }
    assert farthest(loaded(folder), weights) < 0.09


def test_a_mixture_of_plain_and_packed_layers_loads(convert: Convert, weights: Weights) -> None:
    folder = convert(kind="Q8_0", kinds={"token_embd.weight": "F16", "blk.0.ffn_up.weight": "F32"})
    assert farthest(loaded(folder), weights) < 0.01


def test_a_head_of_its_own_is_kept(convert: Convert, tmp_path: Path) -> None:
    untied = tiny_weights(tmp_path / "tiny", untied=True)
    folder = convert(untied, kind="Q8_0")
    assert read(folder)["tie_word_embeddings"] is False
    assert farthest(loaded(folder), untied) < 0.02


def test_the_config_has_the_values_of_the_file(converted: Path) -> None:
    config = read(converted)
    assert (config["rope_theta"], config["rms_norm_eps"]) == (20000.0, 1e-5)
    assert (config["max_position_embeddings"], config["head_dim"]) == (512, 16)
    assert config["vocab_size"] == len(vocabulary()) and config["tie_word_embeddings"] is True
    assert vocabulary()[config["eos_token_id"]] == "<|im_end|>"


def test_the_catalog_takes_the_folder(converted: Path) -> None:
    card = make_card("x", converted, "folder", Machine(dequantises=False))
    assert card.problem == "" and card.context_length == 512


@pytest.fixture(scope="module")
def tokenizer(converted: Path) -> Tokenizer:
    return Tokenizer.from_file(str(converted / "tokenizer.json"))


@pytest.mark.parametrize(
    "text",
    [
        "abc abc",
        "1234 12",
        "naïve 🙂 👩‍👩‍👧 日本語",
        "  a\n\n\tb  ",
        "<think>x</think>",
        "a<|im_end|>b",
        "\0\x7f",
        "",
    ],
)
def test_text_survives_the_tokenizer(tokenizer: Tokenizer, text: str) -> None:
    ids = tokenizer.encode(text, add_special_tokens=False).ids
    assert tokenizer.decode(ids, skip_special_tokens=False) == text


def test_merges_are_used_and_digits_stand_alone(tokenizer: Tokenizer) -> None:
    assert tokenizer.encode("abc a12", add_special_tokens=False).tokens == ["abc", "Ġa", "1", "2"]


def test_ids_are_the_files_own(tokenizer: Tokenizer) -> None:
    assert [tokenizer.id_to_token(i) for i in range(len(vocabulary()))] == vocabulary()
    assert tokenizer.get_vocab_size() == len(vocabulary())


def test_special_tokens_are_one_token_and_left_out_of_text(tokenizer: Tokenizer) -> None:
    ids = tokenizer.encode(f"a<|im_end|>{USER_DEFINED}", add_special_tokens=False).ids
    assert [vocabulary()[i] for i in ids] == ["a", "<|im_end|>", USER_DEFINED]
    assert tokenizer.decode(ids) == f"a{USER_DEFINED}" and USER_DEFINED in ADDED


def test_the_beginning_is_added_when_the_file_says_so(tokenizer: Tokenizer, convert: Convert) -> None:
    assert tokenizer.encode("a").tokens == ["<|begin_of_text|>", "a"]
    plain = Tokenizer.from_file(str(convert() / "tokenizer.json"))
    assert plain.encode("a").tokens == ["a"]


def test_transformers_reads_the_same_tokenizer_and_template(converted: Path, tokenizer: Tokenizer) -> None:
    from transformers import AutoTokenizer

    theirs = AutoTokenizer.from_pretrained(converted, local_files_only=True)
    text = "abc 🙂 12<|im_end|>"
    assert theirs.encode(text) == tokenizer.encode(text).ids
    assert (theirs.bos_token, theirs.eos_token) == ("<|begin_of_text|>", "<|im_end|>")
    rendered = theirs.apply_chat_template([{"role": "user", "content": "hi"}], tokenize=False)
    assert "user<|end_header_id|>" in rendered


@pytest.mark.parametrize("kind", ["gpt-2", "llama-bpe", "smollm"])
def test_every_way_of_cutting_words_keeps_the_text(convert: Convert, kind: str) -> None:
    folder = convert(changes={"tokenizer.ggml.pre": kind})
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    text = "I'll say 1234567 times:  naïve 🙂\r\n\n x_y"
    assert tokenizer.decode(tokenizer.encode(text).ids) == text


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"tokenizer.ggml.pre": "mine"}, "'mine' is not supported"),
        ({"tokenizer.ggml.merges": None}, "its tokenizer is not complete"),
        ({"tokenizer.ggml.merges": ["ab"]}, "its parts do not fit together"),
        ({"tokenizer.ggml.eos_token_id": None}, "does not say its tokenizer.ggml.eos_token_id"),
        ({"tokenizer.ggml.eos_token_id": 10**9}, "its tokenizer.ggml.eos_token_id is no token"),
        ({"llama.block_count": LAYERS + 1}, "it does not hold all its layers"),
        ({"llama.block_count": 2**32 - 1}, "it does not hold all its layers"),
        ({"llama.attention.head_count": 0}, "it has no attention heads"),
        ({"llama.attention.head_count": 7}, "which is not supported"),
        ({"llama.attention.head_count": "four"}, "head_count is not one whole number"),
        ({"llama.rope.scaling.type": "yarn"}, "rotary scaling 'yarn' is not supported"),
        ({"llama.rope.dimension_count": 8}, "a part of each head"),
    ],
    ids=str,
)
def test_what_it_cannot_do_right_it_refuses(
    convert: Convert, tmp_path: Path, changes: dict[str, Any], reason: str
) -> None:
    with pytest.raises(ImportRefused, match=reason) as refused:
        convert(changes=changes)
    assert str(tmp_path) not in str(refused.value) and not (tmp_path / "model").exists()


def test_a_layer_without_weights_is_missed(convert: Convert, weights: Weights) -> None:
    with pytest.raises(ImportRefused, match="does not hold all its layers"):
        convert({name: array for name, array in weights.items() if ".layers.1." not in name})


def test_the_process_says_why_it_refuses(weights: Weights, tmp_path: Path) -> None:
    source = write_gguf(tmp_path / "x.gguf", weights, changes={"tokenizer.ggml.merges": ["ab"]})
    with pytest.raises(ImportRefused, match="its parts do not fit together") as refused:
        import_gguf(source, tmp_path / "model")
    assert str(tmp_path) not in str(refused.value) and not (tmp_path / "model").exists()


def test_it_ends_with_its_parent(weights: Weights, tmp_path: Path) -> None:
    source, models = write_gguf(tmp_path / "x.gguf", weights), tmp_path / "models"
    job = GgufImportJob(
        source="x.gguf", source_path=str(source), name="model", target_path=str(models / "model")
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "inference.worker.conversion", msgspec.json.encode(job).decode()],
        stdin=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    try:
        process.communicate(timeout=60)  # closes its standard input
    finally:
        process.kill()
    assert process.returncode == 1
    assert not models.exists() or list(models.iterdir()) == []
