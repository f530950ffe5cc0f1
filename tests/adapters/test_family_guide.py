"""What docs/contributing/add-a-model-family.md says works: its code runs, and what it names exists."""

import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from inference import adapters
from inference.adapters import base
from inference.adapters.tool_calls import marked, pythonic, tool_format, tool_formats, xml
from inference.core.config import BASE_DIR
from tests.each import each
from tests.test_contributing import paths

PAGE = (BASE_DIR / "docs" / "contributing" / "add-a-model-family.md").read_text()
ADAPTER, TESTS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


def run(code: str, module: ModuleType) -> dict[str, Any]:
    exec(compile(code, "add-a-model-family.md", "exec"), module.__dict__)  # noqa: S102
    return module.__dict__


def test_the_tests_of_its_example_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    family = ModuleType("pebble")
    monkeypatch.setitem(sys.modules, "inference.adapters.families.pebble", family)
    monkeypatch.setattr(adapters, "ADAPTERS", (run(ADAPTER, family)["Pebble"], *adapters.ADAPTERS))
    tests = [test for name, test in run(TESTS, ModuleType("test_pebble")).items() if name.startswith("test_")]
    assert len(tests) == 3
    for test in tests:
        test()


def test_every_file_is_there_except_those_of_the_example() -> None:
    folder = Path("inference/adapters")
    named = paths(PAGE) | {str(folder / name) for name in re.findall(r"`(\w+/\w+\.py)`", PAGE)}
    assert len(named) > 6
    missing = {name for name in named if not (BASE_DIR / name).exists()}
    assert {Path(name).name for name in missing} == {"pebble.py", "test_pebble.py"}


@each("name", ["FORMATS", "FunctionXml", "Pythonic", "normalise", "template_messages"])
def test_every_name_is_there(name: str) -> None:
    assert f"`{name}`" in PAGE
    assert any(hasattr(home, name) for home in (tool_formats, xml, pythonic, base.Adapter))


@each("base_class", re.findall(r"^\| ((?:`\w+`(?:, )?)+) \|", PAGE, re.MULTILINE))
def test_every_base_class_is_there(base_class: str) -> None:
    homes = (tool_format, tool_formats, marked, xml, pythonic)
    for name in re.findall(r"\w+", base_class):
        assert any(issubclass(vars(home).get(name, object), tool_format.ToolFormat) for home in homes)
