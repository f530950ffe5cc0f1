"""The text of a file with a client's settings in it, whatever its syntax."""

from collections.abc import Callable, Mapping

from inference.connect.merging import json_merge, toml_merge, yaml_merge

_MERGED: Mapping[str, Callable[[str, str, tuple[str, ...]], str]] = {
    "json": json_merge.merged,
    "toml": toml_merge.merged,
    "yaml": yaml_merge.merged,
}


def merged(text: str, settings: str, syntax: str, keeps: tuple[str, ...] = ()) -> str:
    """The text with the settings; raises Unmergeable. Its kind of line breaks stays."""
    if not text.strip():
        return settings
    has_crlf = "\r\n" in text and text.count("\r\n") == text.count("\n")
    plain = text.replace("\r\n", "\n") if has_crlf else text
    if not plain.endswith("\n"):
        plain += "\n"
    changed = _MERGED[syntax](plain, settings, keeps)
    return changed.replace("\n", "\r\n") if has_crlf else changed
