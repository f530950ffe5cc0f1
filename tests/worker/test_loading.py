"""What a model's small files say, in the forms they come in."""

import json
from pathlib import Path
from typing import Any

import pytest

from inference.worker.loading import read_facts

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
