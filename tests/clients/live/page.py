"""The examples of docs/clients.md, by section and language."""

import re
from typing import NamedTuple

from inference.core.config import BASE_DIR

_SECTION = re.compile(r"^## ([^\n]+)\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)


class Example(NamedTuple):
    section: str
    language: str
    text: str

    @property
    def package(self) -> str:
        """What a program of it imports first."""
        pattern = r'from "([^"]+)"' if self.language == "javascript" else r"(?:from|import) (\w+)"
        found = re.search(pattern, self.text)
        assert found, self
        return found[1]

    def at(self, url: str) -> str:
        """The example for a site of the tests and its model."""
        here = self.text.replace("http://127.0.0.1:8000", url)
        return here.replace("SmolLM2-135M-Instruct", "tiny")


def examples(language: str) -> list[Example]:
    page = (BASE_DIR / "docs" / "clients.md").read_text()
    found = [
        Example(title, *block) for title, text in _SECTION.findall(page) for block in _BLOCK.findall(text)
    ]
    return [example for example in found if example.language == language]
