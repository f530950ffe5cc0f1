"""The small JSON files of a model's folder: objects, and no larger than a file of that name ever is.

The site reads them beside its event loop, and one call of a parser holds Python's lock until it is done. So
what would take long is refused before it is parsed, and of large files only what is needed is built.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec import UNSET, Raw, UnsetType

_MB = 2**20
# The largest of language models: a config.json below 1 MB (another quantisation for each layer), a
# tokenizer_config.json of 13 MB (65,000 tokens of speech), an index of 17 MB (200,000 tensors).
MOST_BYTES: Mapping[str, int] = {
    "config.json": 2 * _MB,
    "adapter_config.json": 2 * _MB,
    "generation_config.json": 2 * _MB,
    "special_tokens_map.json": 2 * _MB,
    "tokenizer_config.json": 32 * _MB,
    "model.safetensors.index.json": 32 * _MB,
}
_MOST_BUILT_BYTES = 2 * _MB


class UnreadableJson(Exception):
    """The file is there, and is no JSON object of a sensible size."""


def read(path: Path) -> bytes | None:
    """What is in a file; None when there is none. Raises Unreadable."""
    try:
        if not path.exists() and not path.is_symlink():
            return None
        if not path.is_file() or path.stat().st_size > MOST_BYTES[path.name]:  # a pipe is waited for for ever
            raise UnreadableJson
        return path.read_bytes()
    except OSError:
        raise UnreadableJson from None


def read_object(path: Path) -> dict[str, Any]:
    """The object in a file; empty when there is no file. Raises Unreadable."""
    raw = read(path)
    return {} if raw is None else _built(raw)


def read_keys(path: Path, *keys: str) -> dict[str, Any]:
    """Those of some keys that the object in a file has, however large the rest is. Raises Unreadable."""
    raw = read(path)
    if raw is None:
        return {}
    found = _built(raw) if len(raw) <= _MOST_BUILT_BYTES else _skimmed(raw, keys)
    return {key: found[key] for key in keys if key in found}


def _skimmed(raw: bytes, keys: Sequence[str]) -> dict[str, Any]:
    """The values of these keys as they are written; nothing is made of the others."""
    wanted = msgspec.defstruct("Wanted", [(key, Raw | UnsetType, UNSET) for key in keys])
    try:
        found = msgspec.structs.asdict(msgspec.json.decode(raw, type=wanted))
    except (msgspec.DecodeError, RecursionError):
        raise UnreadableJson from None
    return {key: value for key, value in found.items() if value is not UNSET}


def _built(raw: bytes) -> dict[str, Any]:
    try:
        found = json.loads(raw) if len(raw) <= _MOST_BUILT_BYTES else None
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise UnreadableJson
    return found
