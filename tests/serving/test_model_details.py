"""What a model's small files say beyond its card."""

import json
from pathlib import Path
from typing import Any

import pytest

from inference.core.model_card import ModelKind
from inference.serving import model_details
from tests.fakes import card


def written(folder: Path, **files: Any) -> Path:
    for name, content in files.items():
        (folder / f"{name}.json").write_text(json.dumps(content))
    return folder


@pytest.mark.parametrize(
    ("kind", "template", "capabilities"),
    [
        ("chat", "{{ messages }}", ("completion", "tools")),
        ("chat", "{% if enable_thinking %}<think>{% endif %}", ("completion", "tools", "thinking")),
        ("chat", "", ("completion",)),
        ("embedding", "{{ messages }}", ("embedding",)),
    ],
)
def test_capabilities_follow_from_the_kind_and_the_template(
    tmp_path: Path, kind: ModelKind, template: str, capabilities: tuple[str, ...]
) -> None:
    (tmp_path / "chat_template.jinja").write_text(template)
    assert model_details.read(card("a", kind=kind, path=str(tmp_path))).capabilities == capabilities


def test_figures_have_the_names_of_gguf_and_are_whole_numbers(tmp_path: Path) -> None:
    config = {
        "hidden_size": 64,
        "vocab_size": True,
        "text_config": {"num_hidden_layers": 2, "hidden_size": 32},
    }
    details = model_details.read(card("a", path=str(written(tmp_path, config=config))))
    assert details.figures == {"embedding_length": 32, "block_count": 2}


def test_a_folder_without_files_has_no_details(tmp_path: Path) -> None:
    details = model_details.read(card("a", path=str(tmp_path / "none")))
    assert (details.template, details.figures) == ("", {})


def test_tokens_of_a_tokenizer_are_texts(tmp_path: Path) -> None:
    tokens = {"eos_token": {"content": "</s>", "lstrip": False}, "bos_token": "<s>", "extra": 1}
    written(
        tmp_path,
        tokenizer_config={**tokens, "model_max_length": 512},
        special_tokens_map={"pad_token": "<p>"},
    )
    found = model_details.tokenizer(card("a", path=str(tmp_path)))
    assert (found["eos_token"], found["bos_token"], found["pad_token"]) == ("</s>", "<s>", "<p>")
    assert (found["unk_token"], found["model_max_length"], "extra" in found) == (None, 512, False)
