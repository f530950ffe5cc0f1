"""Requests of real clients, as they send them in their default settings; long texts are replaced.

Each file of bodies/ has the `origin` (recorded, or rebuilt from the client's source), `endpoint` and `body`,
and those of its `headers` that the answer depends on.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).parent / "bodies"


@dataclass(frozen=True)
class Recorded:
    """One request."""

    name: str
    path: str
    body: dict[str, Any]
    headers: Mapping[str, str]

    def asking(self, model: str) -> dict[str, Any]:
        """The body, for a model that is here."""
        return self.body | {"model": model}


def recorded() -> list[Recorded]:
    """Every recorded request, by name."""
    found = []
    for file in sorted(_FOLDER.glob("*.json")):
        stored = json.loads(file.read_text())
        path = stored["endpoint"].partition(" ")[2]
        found.append(Recorded(file.stem, path, stored["body"], stored.get("headers", {})))
    return found
