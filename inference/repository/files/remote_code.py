"""Whether a model wants Python of its own to run, which this server never allows.

CVE-2026-5843 (config.json's model_file) and CVE-2026-22807 (auto_map) ran it whatever the loaders were
set to. The site checks before it lists a model, and the worker again before it loads one.
"""

from collections.abc import Mapping
from typing import Any

KEYS = ("model_file", "auto_map")


def required_key(file: Mapping[str, Any]) -> str | None:
    """The key of a config.json or tokenizer_config.json that requires it, or None."""
    return next((key for key in KEYS if key in file), None)
