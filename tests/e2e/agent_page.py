"""The agents' sections of docs/clients.md: the files they need, and the commands that run them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from inference.connect.client import Values
from inference.core.config import BASE_DIR
from tests.connect.values import PLAIN

PAGE = BASE_DIR / "docs" / "clients.md"
AGENTS = (
    "aider",
    "Claude Code",
    "Cline",
    "Codex",
    "Continue",
    "GitHub Copilot CLI",
    "OpenCode",
    "pi",
    "Qwen Code",
)
_SECTION = re.compile(r"^## (.+)\n((?:(?!## ).*\n)*)", re.MULTILINE)
_FILE = re.compile(r"^`~/([^`]+)`:\n\n```\w+\n(.*?)^```", re.MULTILINE | re.DOTALL)
_COMMANDS = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Section:
    """How one agent is configured and called, as the page prints it."""

    agent: str
    files: dict[str, str]  # by the path in the home folder
    commands: str  # lines for a shell

    def prepare(self, home: Path, url: str, model: str, context: int) -> str:
        """Write the files below `home`; returns the commands for this server and model."""
        values = Values(origin=url, model=model, context=context)
        for path, text in self.files.items():
            file = home / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(_filled_in(text, values))
        return _filled_in(self.commands, values)


def _filled_in(text: str, values: Values) -> str:
    """The text with the values of a site in the places of those that the page prints."""
    for name in ("origin", "model", "context", "answer"):
        text = text.replace(str(getattr(PLAIN, name)), str(getattr(values, name)))
    return text


def sections() -> Iterator[Section]:
    """The section of every agent."""
    for title, text in _SECTION.findall(PAGE.read_text()):
        if title in AGENTS:
            lines = "".join(_COMMANDS.findall(text)).splitlines()
            commands = "\n".join(line.removeprefix("$ ") for line in lines)
            yield Section(title, dict(_FILE.findall(text)), commands)
