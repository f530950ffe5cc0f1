"""Take the pictures of the admin in the documentation.

`python -m tests.admin.screenshots [FOLDER [PICTURE...]]`; without names it takes all.
"""

import asyncio
import sys
from pathlib import Path
from typing import Any, NamedTuple

from playwright.async_api import Page, expect

from tests.admin.console_site import OPERATOR, PASSWORD, QWEN
from tests.playground import site
from tests.playground.chromium import BROWSER
from tests.playground.screenshots.__main__ import FOLDER, SCHEMES, SCREENS, Scheme, webp, write

# The rows of Health with the machine's name, and with its folders.
WITHOUT_THIS_MACHINE = """() => {
  for (const row of document.querySelectorAll("#content tbody tr"))
    if (/^Machine\\b|\\s\\//.test(row.innerText)) row.remove();
}"""


class Picture(NamedTuple):
    """A page of the admin on one screen; `is_question` for the page before an unload."""

    name: str
    path: str
    width: int
    scheme: Scheme
    is_question: bool = False


PICTURES = (
    Picture("dashboard-light", "", 1280, "light"),
    Picture("dashboard-dark", "", 1280, "dark"),
    Picture("dashboard-mobile", "", 390, "light"),
    Picture("admin-models", "inference/servedmodel/", 1280, "light"),
    Picture("admin-models-mobile", "inference/servedmodel/", 390, "dark"),
    Picture("admin-requests", "inference/requestrecord/", 1280, "light"),
    Picture("admin-account", "auth/user/1/change/", 1280, "light"),
    Picture("admin-confirmation", "inference/servedmodel/", 1280, "light", is_question=True),
    *(
        Picture(f"admin-{name}-{scheme}", path, 1280, scheme)
        for name, path in (
            ("discover", "inference/download/discover/"),
            ("connect", "connect/?client=claude-code"),
            ("usage", "inference/usagehour/?range=24h"),
            ("health", "inference/healthcheck/"),
        )
        for scheme in SCHEMES
    ),
)


async def _show(page: Page, address: str, picture: Picture) -> None:
    await page.goto(f"{address}admin/{picture.path}")
    if picture.is_question:
        await page.get_by_role("link", name=QWEN).first.click()
        await page.get_by_role("button", name="Unload now").click()
        await expect(page.locator("[data-preview]")).to_be_visible()
    if "healthcheck" in picture.path:
        while await page.get_by_text("The checks of the machine go on.").count():
            await page.wait_for_timeout(1000)
            await page.reload()
        await page.evaluate(WITHOUT_THIS_MACHINE)
    if not picture.path:
        await expect(page.locator("#chart canvas")).to_be_visible()


async def main(folder: Path, names: list[str]) -> None:
    """The pictures of these names, or all, each from a browser of its own."""
    pictures = [picture for picture in PICTURES if not names or picture.name in names]
    try:
        with site.fake_site(models="pictured", module="tests.admin.console_site") as address:
            for picture in pictures:
                view: dict[str, Any] = {"color_scheme": picture.scheme, **SCREENS[picture.width]}
                async with site.visiting(f"{address}admin/login/", reduced_motion="reduce", **view) as visit:
                    await visit.page.fill("#id_username", OPERATOR)
                    await visit.page.fill("#id_password", PASSWORD)
                    await visit.page.press("#id_password", "Enter")
                    await visit.page.wait_for_url(f"{address}admin/")
                    await _show(visit.page, address, picture)
                    write(folder / f"{picture.name}.webp", await webp(visit.page))
    finally:
        await BROWSER.close()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]) if sys.argv[1:] else FOLDER, sys.argv[2:]))
