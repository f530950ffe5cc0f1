"""The studio with a real site behind it: its fixtures, and what several tests do in a browser."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.e2e.login import sign_in
from tests.e2e.site import ROOT, STARTER, Site, fresh_dir, narrow_site
from tests.playground.site import Visit, visiting
from tests.tiny import make_tiny_model, never_ends

ANSWER = ".message.is-assistant:last-child"
PROSE = f"{ANSWER} > .prose"
KEY = "sesame-of-the-studio"
SLOW = 120_000
MAKE_USERS = """
from django.contrib.auth.models import User
for name in ("ann", "bob"):
    User.objects.create_user(name, password=f"{name} and her cat")
"""


@pytest.fixture(scope="module")
def studio(models_dir: Path) -> Iterator[Site]:
    """A site whose users sign in, with the real starter model and one that never stops talking."""
    folder = fresh_dir()
    shutil.copytree(models_dir, folder / "models", copy_function=os.link)
    never_ends(make_tiny_model(folder / "models" / "endless"))
    with Site(folder, "--no-starter", env={"MLX_SERVER_API_KEY": KEY, "MLX_SERVER_TITLES": "false"}) as site:
        site.wait_ready(60)
        subprocess.run(
            [sys.executable, "manage.py", "shell", "-c", MAKE_USERS], cwd=ROOT, env=site._env, check=True
        )
        yield site
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def narrow(models_dir: Path) -> Iterator[Site]:
    """A site with room for one of its two real models, which answers one question at a time."""
    with narrow_site(models_dir, MLX_SERVER_MAX_BATCH="1", MLX_SERVER_TITLES="false") as site:
        yield site


@asynccontextmanager
async def signed_in(studio: Site, name: str = "ann", **wishes: str) -> AsyncIterator[Visit]:
    """A browser of this user's own, with these settings."""
    remembered = {"mlxsite.model": json.dumps(STARTER), "mlxsite.settings": json.dumps(wishes)}
    stored = [{"name": name, "value": value} for name, value in remembered.items()]
    state = {
        "cookies": studio.cookies.get(name, []),
        "origins": [{"origin": studio.url, "localStorage": stored}],
    }
    async with visiting(f"{studio.url}/", storage_state=state) as visit:
        await sign_in(visit.page, studio, "/", name, f"{name} and her cat")
        await expect(visit.page.locator(".picker-name")).to_have_text(STARTER)
        yield visit


async def pick(page: Page, model: str) -> None:
    await page.click("#picker-button")
    await page.locator(".option").filter(has_text=model).click()
    await expect(page.locator(".picker-name")).to_have_text(model)


async def ended(page: Page, status: str = "done") -> str:
    await expect(page.locator(ANSWER)).to_have_attribute("data-status", status, timeout=SLOW)
    return await page.locator(PROSE).inner_text()
