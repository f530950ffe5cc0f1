"""The README's examples, taken from the page and run as they are against the real site."""

import json
import re
import subprocess
import sys

import pytest

from inference.core.config import BASE_DIR
from tests.e2e.site import Site

pytestmark = pytest.mark.e2e


def example(language: str, site: Site) -> str:
    """The page's example in a language, with the address of the site under test."""
    (found,) = re.findall(rf"```{language}\n(.*?)```", (BASE_DIR / "README.md").read_text(), re.DOTALL)
    return str(found).replace("http://127.0.0.1:8000", site.url)


def test_the_curl_example_answers(site: Site) -> None:
    done = subprocess.run(["bash", "-c", example("bash", site)], capture_output=True, text=True, timeout=120)
    assert "Paris" in json.loads(done.stdout)["choices"][0]["message"]["content"]


def test_the_python_example_streams_an_answer(site: Site) -> None:
    command = [sys.executable, "-c", example("python", site)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    assert "Paris" in done.stdout
