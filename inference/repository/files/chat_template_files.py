"""The chat template of a model folder, from any of the files in which models are published with it."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

_FILE = "chat_template.jinja"
# Newer models have a separate file, older ones an entry in the tokenizer's settings, and multimodal ones an
# entry in a JSON file of the processor.
_JSON_FILES = ("tokenizer_config.json", "chat_template.json", "processor_config.json")
_MOST_BYTES = 32 * 2**20
_NAMED = "additional_chat_templates"


def find(folder: Path) -> str:
    """The first template that is found; empty if there is none.

    Some models have several named ones (Command R: default, tool_use, rag): the default is used, or the only
    one.
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
    """The default template of an entry, which is a text or several texts with names."""
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
    is_sane = path.is_file() and path.stat().st_size <= _MOST_BYTES
    found = json.loads(path.read_text()) if is_sane else {}
    return found if isinstance(found, Mapping) else {}
