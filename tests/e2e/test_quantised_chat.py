"""The starter model is quantised on its page in the admin, and the result answers in the playground."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.async_api import expect
from safetensors.numpy import save_file

from tests.e2e.login import sign_in
from tests.e2e.model_list import open_model
from tests.e2e.site import STARTER, Site, fresh_dir
from tests.e2e.studio import ANSWER, PROSE, SLOW
from tests.gguf_starter import plain_weights
from tests.nightly import nightly
from tests.playground.site import visiting
from tests.playground.test_accessible import complaints

pytestmark = [pytest.mark.e2e, pytest.mark.browser]
RESULT = f"{STARTER}-8bit"
MINUTES = 600_000  # milliseconds: 8 bits of 135 million numbers, on few cores


def unpack(source: Path, target: Path) -> None:
    """Copy the starter in full precision: that of the package index has 4 bits, that of the hub 16."""
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("config.json", "*.safetensors*"))
    config = json.loads((source / "config.json").read_text())
    config.pop("quantization", None)
    (target / "config.json").write_text(json.dumps(config))
    weights = {name: array.astype(np.float16) for name, array in plain_weights(source).items()}
    save_file(weights, target / "model.safetensors", {"format": "mlx"})


@pytest.fixture(scope="module")
def quantising_site(models_dir: Path) -> Iterator[Site]:
    """A site with the starter model in full precision and nothing else."""
    folder = fresh_dir()
    unpack(models_dir / STARTER, folder / "models" / STARTER)
    with Site(folder, "--no-starter") as site:
        yield site.wait_ready(60)
    shutil.rmtree(folder, ignore_errors=True)


@nightly
async def test_from_the_starter_to_a_chat_with_its_quantised_model(quantising_site: Site) -> None:
    site = quantising_site
    async with visiting(f"{site.url}/", reduced_motion="reduce") as visit:
        page = visit.page
        await sign_in(page, site)
        await open_model(page, STARTER)
        await page.get_by_role("link", name="Quantise…").click()
        await page.get_by_role("radio", name="8 bits").check()
        await page.get_by_label(
            "Measure the perplexity of both models"
        ).uncheck()  # tests of it are elsewhere
        await page.get_by_role("button", name="Quantise", exact=True).click()
        article = page.locator(f'[data-download="{RESULT}"]')
        await expect(article).to_have_attribute("data-state", "done", timeout=MINUTES)
        assert await complaints(page) == []
        await article.get_by_role("link", name=f"Chat now with {RESULT}").click()
        await expect(page.locator(".picker-name")).to_have_text(RESULT)
        await page.fill("#prompt", "What is the capital of France? Answer in one word.")
        await page.press("#prompt", "Enter")
        await expect(page.locator(ANSWER)).to_have_attribute("data-status", "done", timeout=SLOW)
        await expect(page.locator(PROSE)).to_contain_text("Paris")
        await expect(page.locator(f"{ANSWER} .figures")).to_contain_text("tokens/s")
        assert visit.complaints == []
