"""The chat template of a model folder, in every place where published models have it."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

_FILE = "chat_template.jinja"
# Newer models have a file of its own, older ones put it into the tokenizer's settings, and those that see
# pictures into a JSON file of the processor.
_JSON_FILES = ("tokenizer_config.json", "chat_template.json", "processor_config.json")
_NAMED = "additional_chat_templates"


def find(folder: Path) -> str:
    """The template of a plain chat, the first that there is; empty where there is none.

    Some models name several (Command R: default, tool_use, rag); without a default the only one counts.
    """
    return next(filter(None, _found(folder)), "")


def _found(folder: Path) -> Iterator[str]:
    file = folder / _FILE
    yield file.read_text() if file.is_file() else ""
    for name in _JSON_FILES:
        yield _plain(_read_json(folder / name).get("chat_template"))
    named = {path.stem: path.read_text() for path in sorted((folder / _NAMED).glob("*.jinja"))}
    yield _plain(named)


def _plain(given: Any) -> str:
    """The template of a plain chat, given as text or as several with their names."""
    if isinstance(given, str):
        return given
    if isinstance(given, list):
        entries = [entry for entry in given if isinstance(entry, Mapping)]
        given = {str(entry.get("name")): entry.get("template") for entry in entries}
    if not isinstance(given, Mapping):
        return ""
    templates = {name: template for name, template in given.items() if isinstance(template, str)}
    return templates.get("default") or (next(iter(templates.values())) if len(templates) == 1 else "")


def _read_json(path: Path) -> Mapping[str, Any]:
    found = json.loads(path.read_text()) if path.is_file() else {}
    return found if isinstance(found, Mapping) else {}
