"""The chat template, in every place where published models have it."""

import json
from pathlib import Path
from typing import Any

import pytest
from transformers import AutoTokenizer

from inference.repository.files.chat_template_files import find
from inference.worker.model.model_files import read_tokenizer
from tests.tiny import CHATML, make_tiny_model

pytestmark = pytest.mark.mlx
NAMED = [{"name": "default", "template": "one"}, {"name": "tool_use", "template": "two"}]


def put(folder: Path, files: dict[str, Any]) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content))
    return folder


@pytest.mark.parametrize(
    "files",
    [
        {"chat_template.jinja": "one"},
        {"tokenizer_config.json": {"chat_template": "one"}},
        {"tokenizer_config.json": {"chat_template": NAMED}},
        {"chat_template.json": {"chat_template": "one"}},
        {"chat_template.json": {"chat_template": {"default": "one", "rag": "two"}}},
        {"processor_config.json": {"chat_template": "one"}},
        {"additional_chat_templates/default.jinja": "one", "additional_chat_templates/rag.jinja": "two"},
        {"additional_chat_templates/tool_use.jinja": "one"},
        {"tokenizer_config.json": {"chat_template": None}, "chat_template.json": {"chat_template": "one"}},
        {"tokenizer_config.json": {"chat_template": ""}, "processor_config.json": {"chat_template": "one"}},
        {"chat_template.jinja": "one", "chat_template.json": {"chat_template": "two"}},
        {"chat_template.jinja": "one", "additional_chat_templates/tool_use.jinja": "two"},
    ],
)
def test_it_is_found_wherever_it_is(tmp_path: Path, files: dict[str, Any]) -> None:
    assert find(put(tmp_path, files)) == "one"


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"chat_template.json": ["one"]},
        {"chat_template.json": {"chat_template": 5}},
        {"additional_chat_templates/a.jinja": "one", "additional_chat_templates/b.jinja": "two"},
        {"tokenizer_config.json": {"chat_template": [1, {"name": "default"}]}},
    ],
)
def test_where_there_is_none_there_is_none(tmp_path: Path, files: dict[str, Any]) -> None:
    assert find(put(tmp_path, files)) == ""


@pytest.mark.parametrize(
    "files",
    [
        {"chat_template.json": {"chat_template": CHATML}},
        {"processor_config.json": {"chat_template": CHATML}},
        {"tokenizer_config.json": {"chat_template": [{"name": "tool_use", "template": CHATML}]}},
    ],
)
def test_the_tokenizer_renders_with_it(tmp_path: Path, files: dict[str, Any]) -> None:
    folder = make_tiny_model(tmp_path / "tiny")
    settings = json.loads((folder / "tokenizer_config.json").read_text())
    del settings["chat_template"]
    settings |= files.pop("tokenizer_config.json", {})
    put(folder, {"tokenizer_config.json": settings, **files})
    text = read_tokenizer(folder).render([{"role": "user", "content": "hi"}], opens_answer=True)
    assert text == "<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\n"


@pytest.mark.parametrize("name", ["MistralCommonBackend", "PixtralProcessor", "TokenizerOfTheFuture", None])
def test_a_class_that_is_not_there_is_not_needed(tmp_path: Path, name: str | None) -> None:
    folder = make_tiny_model(tmp_path / "tiny")
    plain = AutoTokenizer.from_pretrained(folder)
    settings = json.loads((folder / "tokenizer_config.json").read_text())
    put(folder, {"tokenizer_config.json": settings | {"tokenizer_class": name}})
    made = read_tokenizer(folder)
    assert made.encode("a text") == plain("a text", add_special_tokens=False)["input_ids"]
    assert made.eos_id == plain.eos_token_id
