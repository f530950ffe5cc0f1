"""Which folders hold embedding models, and how they pool."""

import json
from pathlib import Path

import pytest

from inference.repository.files import pooling
from inference.repository.files.pooling import OddPooling, Pooling

BERT, QWEN3 = {"model_type": "bert"}, {"model_type": "qwen3"}


def write(folder: Path, *kinds: str, settings: object = None, path: str = "1_Pooling") -> Path:
    """sentence-transformers' files for these steps."""
    paths = ["", path, "2_Normalize", "3_Dense"]
    steps = [
        {"type": f"sentence_transformers.models.{kind}", "path": paths[i]} for i, kind in enumerate(kinds)
    ]
    (folder / "modules.json").write_text(json.dumps(steps))
    (folder / "1_Pooling").mkdir()
    (folder / "1_Pooling" / "config.json").write_text(json.dumps(settings))
    return folder


@pytest.mark.parametrize(
    ("settings", "mode"),
    [
        ({"pooling_mode_mean_tokens": True, "pooling_mode_cls_token": False}, "mean"),
        ({"pooling_mode_cls_token": True}, "cls"),
        ({"pooling_mode_lasttoken": True}, "last"),
        ({"pooling_mode": "lasttoken"}, "last"),
    ],
)
def test_the_way_of_pooling_is_read(tmp_path: Path, settings: object, mode: str) -> None:
    folder = write(tmp_path, "Transformer", "Pooling", "Normalize", settings=settings)
    found = pooling.read(folder, BERT, "bge")
    assert found and (found.mode, found.normalises) == (mode, True)


def test_without_a_last_step_vectors_keep_their_length(tmp_path: Path) -> None:
    folder = write(tmp_path, "Transformer", "Pooling", settings={"pooling_mode_cls_token": True})
    found = pooling.read(folder, BERT, "bge")
    assert found and not found.normalises


def test_the_longest_text_is_the_one_it_was_trained_on(tmp_path: Path) -> None:
    write(tmp_path, "Transformer", "Pooling", settings={"pooling_mode_cls_token": True})
    (tmp_path / "sentence_bert_config.json").write_text('{"max_seq_length": 256}')
    found = pooling.read(tmp_path, BERT, "bge")
    assert found and found.longest == 256


def test_a_chat_model_makes_no_embeddings(tmp_path: Path) -> None:
    assert pooling.read(tmp_path, {"model_type": "llama"}, "llama") is None
    assert pooling.read(tmp_path, QWEN3, "Qwen3-8B") is None


def test_a_conversion_of_qwen3_embedding_is_known_by_its_name(tmp_path: Path) -> None:
    assert pooling.read(tmp_path, QWEN3, "mlx-community/Qwen3-Embedding-0.6B-4bit") == Pooling(mode="last")


@pytest.mark.parametrize(
    ("config", "kinds", "settings", "says"),
    [
        ({"model_type": "mpnet"}, ("Transformer", "Pooling"), {"pooling_mode_cls_token": True}, "mpnet"),
        (BERT, ("Transformer", "Pooling", "Normalize", "Dense"), {"pooling_mode_cls_token": True}, "Dense"),
        (BERT, ("Transformer", "Pooling"), {"pooling_mode_max_tokens": True}, "pools in a way"),
        (
            BERT,
            ("Transformer", "Pooling"),
            {"pooling_mode_cls_token": True, "pooling_mode_max_tokens": True},
            "pools in a way",
        ),
        (BERT, ("Transformer", "Pooling"), [], "cannot be read"),
        (BERT, (), None, "modules.json cannot be read"),
    ],
)
def test_what_is_not_supported_is_reported(
    tmp_path: Path, config: dict[str, str], kinds: tuple[str, ...], settings: object, says: str
) -> None:
    folder = write(tmp_path, *kinds, settings=settings)
    with pytest.raises(OddPooling, match=says):
        pooling.read(folder, config, "model")


def test_a_path_that_leads_elsewhere_is_not_followed(tmp_path: Path) -> None:
    folder = write(tmp_path, "Transformer", "Pooling", settings={}, path="../other")
    with pytest.raises(OddPooling, match="cannot be read"):
        pooling.read(folder, BERT, "model")


def test_an_encoder_without_steps_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OddPooling, match=r"no modules\.json"):
        pooling.read(tmp_path, BERT, "bert-base")
