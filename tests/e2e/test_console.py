"""The pages of usage, health and the log in Chromium: for everybody, in both themes, also on a phone."""

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
from playwright.async_api import expect

from tests.e2e.login import sign_in
from tests.e2e.site import ROOT, Site
from tests.nightly import nightly
from tests.playground.site import visiting
from tests.playground.test_accessible import AXE, RULES

pytestmark = [pytest.mark.e2e, pytest.mark.browser]
USAGE = "/admin/inference/usagehour/"
ROWS = """
from datetime import UTC, datetime, timedelta
from inference.models import UsageHour

now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
for back in range(20):
    for number, model in enumerate(["mlx-community/Llama-3.2-3B-Instruct-4bit", "tiny"]):
        UsageHour.objects.create(
            hour=now - timedelta(hours=back), model=model, caller_kind="local", requests=100 - back - number
        )
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("data")
    with Site(folder, "--no-starter") as site:
        site.wait_ready(60)
        env = os.environ | {"MLX_SERVER_DATA_DIR": str(folder)}
        subprocess.run([sys.executable, "manage.py", "shell", "-c", ROWS], cwd=ROOT, env=env, check=True)
        yield site


@nightly
@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 390)])
async def test_they_can_be_read_by_everybody(site: Site, scheme: str, width: int) -> None:
    view = {
        "color_scheme": scheme,
        "viewport": {"width": width, "height": 900},
        "timezone_id": "Europe/Berlin",
    }
    async with visiting(f"{site.url}/", **view) as visit:
        page = visit.page
        await sign_in(page, site)
        for place in (f"{USAGE}?range=24h", "/admin/inference/healthcheck/", "/admin/inference/logline/"):
            await page.goto(f"{site.url}{place}")
            await expect(page.locator("h1")).to_be_visible()
            if place.startswith(USAGE):
                await expect(page.locator("#usage-chart canvas")).to_be_visible()
                await expect(page.get_by_text("Times are in Europe/Berlin")).to_be_visible()
            await page.evaluate(AXE)
            found = await page.evaluate("rules => axe.run('#content', rules)", RULES)
            assert [(one["help"], one["nodes"][0]["html"][:200]) for one in found["violations"]] == []
            assert await page.evaluate("document.documentElement.scrollWidth") == width
        assert visit.complaints == []


@nightly
async def test_the_chart_tells_the_values_at_the_pointer(site: Site) -> None:
    async with visiting(f"{site.url}/", viewport={"width": 1280, "height": 900}) as visit:
        page = visit.page
        await sign_in(page, site)
        await page.goto(f"{site.url}{USAGE}?range=24h")
        first = page.locator(".legend [data-value]").first
        await expect(first).to_have_text("1,810")
        chart = page.locator("#usage-chart .u-over")
        box = await chart.bounding_box()
        assert box
        await chart.hover(position={"x": box["width"] - 4, "y": 20})
        await expect(first).to_have_text("100")
        await expect(page.locator("#usage-at")).to_contain_text(":00:")


@nightly
async def test_the_log_follows_and_filters(site: Site) -> None:
    async with visiting(f"{site.url}/") as visit:
        page = visit.page
        await sign_in(page, site)
        await page.goto(f"{site.url}/admin/inference/logline/")
        await page.get_by_label("Follow").check()  # the pool may say this after the page was made
        await expect(page.locator("#lines")).to_contain_text("Models may use")
        await page.get_by_label("Follow").uncheck()
        await page.get_by_label("Text").fill("no line has this")
        await page.get_by_role("button", name="Show").click()
        await expect(page.locator("#lines")).to_contain_text("No log lines match.")
