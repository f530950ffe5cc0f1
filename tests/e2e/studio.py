"""The studio with a real site behind it: what its tests do in a browser."""

import json
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from playwright.async_api import Page, expect

from tests.e2e.login import sign_in
from tests.e2e.site import ROOT, STARTER, Site
from tests.playground.site import Visit, visiting
from tests.tiny import make_tiny_model, never_ends

ANSWER = ".message.is-assistant:last-child"
PROSE = f"{ANSWER} > .prose"
KEY = "sesame-of-the-studio"
SLOW = 120_000
WISH = """async settings => {
  const { call } = await import("/static/playground/api.js");
  await call("PUT", "/chat/settings/", { settings });
}"""
USERS = ("ann", "bob", "dora")
MAKE_USERS = """
from django.contrib.auth.models import User
for name in {names}:
    User.objects.create_user(name, password=f"{{name}} and her cat")
"""


@contextmanager
def site_of_users(folder: Path, *names: str) -> Iterator[Site]:
    """A site on this data folder whose users sign in, with `endless`, a model that never stops talking."""
    never_ends(make_tiny_model(folder / "models" / "endless"))
    with Site(folder, "--no-starter", env={"MLX_SERVER_API_KEY": KEY, "MLX_SERVER_TITLES": "false"}) as site:
        site.wait_ready()
        command = [sys.executable, "manage.py", "shell", "-c", MAKE_USERS.format(names=names)]
        subprocess.run(command, cwd=ROOT, env=site._env, check=True)
        yield site


@asynccontextmanager
async def signed_in(
    studio: Site, name: str = "ann", *, model: str = STARTER, **wishes: str
) -> AsyncIterator[Visit]:
    """A browser of this user's own; `wishes` are the settings that the account's new chats begin with."""
    stored = [{"name": "mlxsite.model", "value": json.dumps(model)}]
    state = {
        "cookies": studio.cookies.get(name, []),
        "origins": [{"origin": studio.url, "localStorage": stored}],
    }
    async with visiting(f"{studio.url}/", storage_state=state) as visit:
        await sign_in(visit.page, studio, "/", name, f"{name} and her cat")
        await visit.page.evaluate(WISH, wishes)
        await visit.page.reload()
        await expect(visit.page.locator(".picker-name")).to_have_text(model)
        yield visit


async def pick(page: Page, model: str) -> None:
    await page.click("#picker-button")
    await page.locator(".option").filter(has_text=model).click()
    await expect(page.locator(".picker-name")).to_have_text(model)


async def ended(page: Page, status: str = "done") -> str:
    await expect(page.locator(ANSWER)).to_have_attribute("data-status", status, timeout=SLOW)
    return await page.locator(PROSE).inner_text()
