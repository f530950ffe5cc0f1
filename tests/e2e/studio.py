"""The studio with a real site behind it: what its tests do in a browser."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import Page, expect

from tests.e2e.login import sign_in
from tests.e2e.site import STARTER, Site
from tests.playground.site import Visit, visiting

ANSWER = ".message.is-assistant:last-child"
PROSE = f"{ANSWER} > .prose"
KEY = "sesame-of-the-studio"
SLOW = 120_000
WISH = """async settings => {
  const { call } = await import("/static/playground/api.js");
  await call("PUT", "/chat/settings/", { settings });
}"""


@asynccontextmanager
async def signed_in(studio: Site, name: str = "ann", **wishes: str) -> AsyncIterator[Visit]:
    """A browser of this user's own; `wishes` are the settings that the account's new chats begin with."""
    stored = [{"name": "mlxsite.model", "value": json.dumps(STARTER)}]
    state = {
        "cookies": studio.cookies.get(name, []),
        "origins": [{"origin": studio.url, "localStorage": stored}],
    }
    async with visiting(f"{studio.url}/", storage_state=state) as visit:
        await sign_in(visit.page, studio, "/", name, f"{name} and her cat")
        await visit.page.evaluate(WISH, wishes)
        await visit.page.reload()
        await expect(visit.page.locator(".picker-name")).to_have_text(STARTER)
        yield visit


async def pick(page: Page, model: str) -> None:
    await page.click("#picker-button")
    await page.locator(".option").filter(has_text=model).click()
    await expect(page.locator(".picker-name")).to_have_text(model)


async def ended(page: Page, status: str = "done") -> str:
    await expect(page.locator(ANSWER)).to_have_attribute("data-status", status, timeout=SLOW)
    return await page.locator(PROSE).inner_text()
