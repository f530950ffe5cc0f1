"""A real site and Chromium fetch from a fake hub that refuses, stalls, breaks off and sends elsewhere."""

import asyncio
import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import psutil
import pytest
from playwright.async_api import Locator, Page, expect

from tests.e2e.login import sign_in
from tests.e2e.site import Site, wait_until_gone
from tests.nightly import IS_NIGHTLY
from tests.playground.site import visiting
from tests.repository.hub import LISTING, REPO, FakeHub, Refusal
from tests.tiny import make_tiny_model

pytestmark = [pytest.mark.e2e, pytest.mark.browser]
__test__ = IS_NIGHTLY  # the gate has tests/repository/downloads and test_downloads_page.py
WEIGHTS = "model.safetensors"
TOKEN = "hf_not_for_strangers"
HALF = 30_000_000  # of the long file


@pytest.fixture(scope="module")
def hubs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[FakeHub, FakeHub]]:
    """The hub, and the other host that it has its weights with; they are long, but no model."""
    hub = FakeHub.of(make_tiny_model(tmp_path_factory.mktemp("there") / "tiny"))
    hub.files["tokenizer.model"] = os.urandom(2 * HALF)
    with hub, FakeHub(hub.files) as other:
        hub.elsewhere = other.endpoint
        yield hub, other


@pytest.fixture(scope="module")
def site(hubs: tuple[FakeHub, FakeHub], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    env = {"HF_ENDPOINT": hubs[0].endpoint, "HF_TOKEN": TOKEN}
    with Site(tmp_path_factory.mktemp("data"), "--no-starter", env=env) as site:
        yield site.wait_ready(60)


async def click(page: Page, label: str) -> None:
    await page.get_by_role("button", name=label, exact=True).click()


async def begin(page: Page, site: Site, name: str) -> Locator:
    await sign_in(page, site)
    await page.goto(f"{site.url}/admin/inference/download/")
    await page.fill("#download-id", name)
    await click(page, "Download")
    return page.locator(f'[data-download="{name}"]')


async def until_there(site: Site, size: int) -> None:
    """Wait until so much of the long file is on the disk."""
    models = Path(site._env["MLX_SERVER_DATA_DIR"]) / "models"
    async with asyncio.timeout(60):
        while size not in {part.stat().st_size for part in models.rglob("*tokenizer.model*")}:
            await asyncio.sleep(0.1)


async def test_a_download_survives_its_faults(site: Site, hubs: tuple[FakeHub, FakeHub]) -> None:
    hub, other = hubs
    hub.refusals[LISTING] = [Refusal(403, {"X-Error-Code": "GatedRepo"})]
    hub.holds_after["tokenizer.model"] = HALF
    async with visiting(f"{site.url}/") as visit:
        page = visit.page
        article = await begin(page, site, REPO)
        await expect(article).to_contain_text("Failed. org/tiny is gated. Accept its licence at")
        await click(page, "Resume")
        # It stands still in the middle of one file; the script shows that, file by file.
        held = article.locator('[data-file="tokenizer.model"]')
        await until_there(site, HALF)
        # Progress is reported ten times a second while bytes come: the last of them may not be.
        await expect(held.locator("[data-amount]")).to_have_text(re.compile(r"^(2\d|30)\.\d MB of 60\.0 MB$"))
        assert 33 <= await held.locator("progress").evaluate("(bar) => bar.value") <= 50
        await expect(article.locator('[data-file="config.json"] progress')).to_have_js_property("value", 100)
        await page.fill("#download-id", "what/is-typed-stays")
        await click(page, "Cancel")
        await expect(article).to_have_attribute("data-state", "cancelled")

        hub.holds_after.clear()
        hub.breaks_after["tokenizer.model"] = 1_000_000
        other.refusals[WEIGHTS] = [Refusal(503), Refusal(403)]
        hub.got.clear()
        await click(page, "Resume")
        await expect(article).to_have_attribute("data-state", "done", timeout=60_000)
        await expect(article).to_contain_text("Done. It is ready.")
        assert (visit.complaints, visit.elsewhere) == ([], [])
    assert hub.ranges("tokenizer.model") == [f"bytes={HALF}-", f"bytes={HALF + 1_000_000}-"]
    assert {header for _, header in hub.heard} == {f"Bearer {TOKEN}"}
    assert {header for _, header in other.heard} == {""}
    assert TOKEN not in site.output
    listed = await asyncio.to_thread(lambda: urlopen(f"{site.url}/v1/models", timeout=10).read())
    assert REPO.encode() in listed


async def test_without_script_the_page_is_enough(site: Site) -> None:
    async with visiting(f"{site.url}/", java_script_enabled=False) as visit:
        article = await begin(visit.page, site, "org/other")
        while await article.get_attribute("data-state") == "running":
            await visit.page.reload()
        await expect(article).to_contain_text("Failed. The hub has no model org/other. Check the spelling")
        await click(visit.page, "Dismiss")
        await expect(article).to_have_count(0)


async def test_what_a_killed_site_began_the_next_one_resumes(tmp_path: Path) -> None:
    hub = FakeHub.of(make_tiny_model(tmp_path / "there"))
    hub.holds_after[WEIGHTS] = 1000
    with hub:
        env = {"HF_ENDPOINT": hub.endpoint}
        with Site(tmp_path / "data", "--no-starter", env=env) as first:
            async with visiting(f"{first.wait_ready(60).url}/") as visit:
                article = await begin(visit.page, first, REPO)
                await expect(article.locator(f'[data-file="{WEIGHTS}"]')).to_contain_text("1.0 kB of")
                password = first.output
                writers = [child.pid for child in errands(first)]
                first.stop(signal.SIGKILL)
        assert len(writers) == 1 and wait_until_gone(writers) == []
        hub.holds_after.clear()
        hub.got.clear()
        with Site(tmp_path / "data", "--no-starter", env=env) as second:
            second.wait_ready(60)
            second._lines.insert(0, password)  # only the first start shows it
            async with visiting(f"{second.url}/") as visit:
                await sign_in(visit.page, second)
                await visit.page.goto(f"{second.url}/admin/inference/download/")
                article = visit.page.locator(f'[data-download="{REPO}"]')
                await expect(article).to_contain_text("Interrupted.")
                await click(visit.page, "Resume")
                await expect(article).to_contain_text("Done.")
                assert (visit.complaints, visit.elsewhere) == ([], [])
    assert hub.asked == [WEIGHTS] and hub.ranges(WEIGHTS) == ["bytes=1000-"]


def errands(site: Site) -> list[psutil.Process]:
    children = psutil.Process(site.process.pid).children(recursive=True)
    return [
        child for child in children if "inference.repository.downloads.process" in " ".join(child.cmdline())
    ]
