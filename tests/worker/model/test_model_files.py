"""The small files of a model folder, checked before a weight is read."""

import json
from pathlib import Path
from typing import Any

import pytest

from inference.adapters import ModelFacts
from inference.worker.model.load_failure import RefusedModel
from inference.worker.model.model_files import read_facts, refuse_code, refuse_infinities
from tests.each import each


def test_facts_are_read_and_a_missing_file_is_empty(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "llama"}))
    (tmp_path / "tokenizer_config.json").write_text("[]")
    facts = read_facts(tmp_path)
    assert (facts.model_type, facts.generation_config, facts.tokenizer_config) == ("llama", {}, {})


def test_a_file_that_is_not_json_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(ValueError, match="line 1"):
        read_facts(tmp_path)


@pytest.mark.parametrize("file", ["config", "tokenizer_config"])
def test_code_of_a_repository_is_refused(file: str) -> None:
    fields: dict[str, Any] = {file: {"auto_map": {"AutoModel": "x.y"}}}
    facts = ModelFacts(**fields)
    with pytest.raises(RefusedModel, match=rf"its {file}.json requires its own code \(auto_map\)"):
        refuse_code(facts)
    refuse_code(ModelFacts())


@each(
    ("config", "path"),
    [({"a": 1e400}, "a"), ({"rope": {"theta": float("nan")}}, "rope.theta"), ({"a": [1, -1e400]}, "a")],
)
def test_a_number_that_is_not_finite_is_refused_by_its_path(config: Any, path: str) -> None:
    with pytest.raises(RefusedModel, match=f"^{path} in its config.json"):
        refuse_infinities(config)


def test_a_bound_may_be_open() -> None:
    refuse_infinities({"time_step_limit": [0.0, float("inf")], "a": 1.5})
