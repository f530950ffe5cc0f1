"""Every curl example of docs/api.md is run, as it is printed, against a site with scripted models."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from inference.core.config import BASE_DIR
from tests.api.openai.site import Site, started

_BLOCK = re.compile(r"^```(?:bash|sh|shell|console)\n(.*?)^```", re.MULTILINE | re.DOTALL)
# Models of the page, and those of the site here that are of the same kind.
MODELS = {"SmolLM2-135M-Instruct": "tiny", "all-MiniLM-L6-v2": "vectors", "bge-reranker-v2-m3": "reranker"}
# What the page shows an example of; a new endpoint needs one, too.
SHOWN = {
    *(
        "/v1/chat/completions",
        "/v1/completions",
        "/v1/responses",
        "/v1/messages",
        "/v1/embeddings",
        "/v1/rerank",
    ),
    *(
        "/v1/responses/compact",
        "/v1/responses/input_tokens",
        "/v1/conversations",
        "/v1/tokenize",
        "/tokenize",
        "/v1/models",
    ),
    *("/v1/conversations", "/ollama/api/chat", "/api/models/load"),
}


def examples() -> list[str]:
    """The commands, without the prompt of a terminal."""
    page = (BASE_DIR / "docs" / "api.md").read_text()
    blocks = [re.sub(r"^\$ ", "", block, flags=re.MULTILINE) for block in _BLOCK.findall(page)]
    commands = [block.partition("\npython manage.py")[0] for block in blocks]
    return [command for command in commands if command.startswith("curl ")]


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with started() as site:
        yield site


@pytest.mark.parametrize("example", examples())
def test_an_example_works_as_it_is_printed(site: Site, example: str, tmp_path: Path) -> None:
    command = example.replace("http://127.0.0.1:8000", site.address)
    for name, here in MODELS.items():
        command = command.replace(name, here)
    command = command.replace("~/.codex/", f"{tmp_path}/").replace("curl ", "curl -sS --fail-with-body ", 1)
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, (done.stdout, done.stderr)


def test_every_endpoint_has_an_example() -> None:
    shown = {found for example in examples() for found in re.findall(r"127\.0\.0\.1:8000([^\s'?]*)", example)}
    assert shown >= SHOWN
