"""The programs of docs/clients.md, run as they are printed."""

import subprocess

import pytest

from tests.clients.live import node, page
from tests.clients.live.clients import CLIENTS, Client
from tests.clients.live.conftest import Outcomes
from tests.clients.live.page import Example
from tests.clients.live.test_clients import marks
from tests.e2e.site import Site
from tests.scripted_model import ANSWER

pytestmark = pytest.mark.e2e
PYTHON = [client for client in CLIENTS if not client.program and client.package != "langchain_anthropic"]


@pytest.mark.parametrize("client", [pytest.param(one, id=one.name, marks=marks(one)) for one in PYTHON])
def test_an_example_in_python_prints_the_answer(outcomes: Outcomes, client: Client) -> None:
    printed = outcomes(client)["page"]
    assert printed, f"the page has no example of {client.name}"
    for outcome in printed:
        assert "error" not in outcome, outcome["error"]
        assert ANSWER in outcome["value"]


@node.NEEDS_NODE
@pytest.mark.parametrize("example", page.examples("javascript"), ids=lambda example: example.package)
def test_an_example_in_javascript_prints_the_answer(scripted_site: Site, example: Example) -> None:
    node.install()
    done = subprocess.run(
        [str(node.NODE), "--input-type=module", "--eval", example.at(scripted_site.url)],
        cwd=node.FOLDER,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert ANSWER in done.stdout


def test_every_program_of_the_page_is_run() -> None:
    assert {example.package for example in page.examples("python")} == {client.package for client in PYTHON}
    packages = {
        "openai",
        "@anthropic-ai/sdk",
        "@ai-sdk/openai",
        "@ai-sdk/openai-compatible",
        "@ai-sdk/anthropic",
    }
    assert {example.package for example in page.examples("javascript")} == packages
