"""The Python examples of docs/clients.md, run as they are printed against a real site.

The clients of the `test` extra are always there. .ci/nightly installs the others and requires all of them.
"""

import os
import re
import subprocess
import sys
from importlib.util import find_spec

import pytest

from inference.core.config import BASE_DIR
from tests.e2e.site import Site

pytestmark = pytest.mark.e2e
PAGE = (BASE_DIR / "docs" / "clients.md").read_text()
_EXAMPLE = r"^## ([^\n]+)\n(?:(?!## )[^\n]*\n)*?```python\n(.*?)^```"
EXAMPLES = re.findall(_EXAMPLE, PAGE, re.MULTILINE | re.DOTALL)
ALWAYS = {"openai", "anthropic", "ollama"}
NEEDS_ALL = "MLXSITE_ALL_CLIENTS" in os.environ


def module_of(example: str) -> str:
    """The package whose client the example shows."""
    found = re.match(r"(?:from|import) (\w+)", example)
    assert found, example
    return found[1]


def is_run(example: str) -> bool:
    """Whether the client has to be here, or is."""
    module = module_of(example)
    return NEEDS_ALL or module in ALWAYS or find_spec(module) is not None


RUN = {client: example for client, example in EXAMPLES if is_run(example)}


@pytest.mark.parametrize("client", RUN)
def test_an_example_works_as_it_is_printed(tiny_site: Site, client: str) -> None:
    example = RUN[client]
    program = example.replace("http://127.0.0.1:8000", tiny_site.url).replace("SmolLM2-135M-Instruct", "tiny")
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.strip()


def test_the_page_has_the_clients_that_are_always_there() -> None:
    assert {module_of(example) for _, example in EXAMPLES} >= ALWAYS | {"agents", "pydantic_ai", "litellm"}
