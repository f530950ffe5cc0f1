"""Take the pictures of the playground: `python -m tests.playground.screenshots [FOLDER [VIEW...]]`.

Pictures have the widths of a desktop, a tablet and a phone. Views that are named here, and those of `BOTH`,
are taken light and dark, the others in one of them for each width. The fonts are those of this machine.
"""

import asyncio
import base64
import itertools
import sys
from pathlib import Path
from typing import Any, Literal

from playwright.async_api import Page

from inference.core.config import BASE_DIR
from tests.playground import site
from tests.playground.chromium import BROWSER
from tests.playground.screenshots.chats import all_chats
from tests.playground.screenshots.views import VIEWS

FOLDER = BASE_DIR / "docs" / "images"
QUALITY = 0.7
Scheme = Literal["light", "dark"]
SCHEMES: tuple[Scheme, ...] = ("light", "dark")
SCREENS: dict[int, dict[str, Any]] = {
    1280: {"viewport": {"width": 1280, "height": 800}},
    820: {"viewport": {"width": 820, "height": 1060}, "has_touch": True},
    390: {"viewport": {"width": 390, "height": 780}, "has_touch": True, "is_mobile": True},
}
BOTH = {"empty", "chat"}
ONE: dict[int, Scheme] = {1280: "light", 820: "dark", 390: "light"}
IMPORT = """async (chats) => {
  const { call } = await import("/static/playground/api.js");
  for (const chat of chats) await call("POST", "/chat/import/", chat);
}"""
TO_WEBP = """async ([png, quality]) => {
  const bitmap = await createImageBitmap(await (await fetch(`data:image/png;base64,${png}`)).blob());
  const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
  canvas.getContext("2d").drawImage(bitmap, 0, 0);
  const blob = await canvas.convertToBlob({ type: "image/webp", quality });
  const bytes = new Uint8Array(await blob.arrayBuffer());
  return btoa(Array.from(bytes, (one) => String.fromCharCode(one)).join(""));
}"""


async def take(folder: Path, names: list[str], width: int, scheme: Scheme) -> None:
    """Take the pictures of one screen, with a site of its own, as visitors share its chats."""
    view: dict[str, Any] = {"color_scheme": scheme, "reduced_motion": "reduce", **SCREENS[width]}
    with site.fake_site(models="pictured") as address:
        async with site.visiting(address, **view) as visit:
            await visit.page.evaluate(IMPORT, all_chats())
            for name in names:
                page = await visit.page.context.new_page()
                await page.goto(address)
                await page.wait_for_load_state("networkidle")
                await VIEWS[name](page)
                write(folder / f"playground-{name}-{width}-{scheme}.webp", await webp(page))
                await page.close()


def _kept(width: int, scheme: Scheme) -> list[str]:
    """The views to be kept of a screen. A new chat on a desktop has the list of chats beside it."""
    names = [name for name in VIEWS if name in BOTH or ONE[width] == scheme]
    return [name for name in names if name != "chats" or width < 1000]


async def webp(page: Page) -> bytes:
    """The picture of a page. Playwright itself makes no WebP, but the browser does."""
    await page.wait_for_load_state("networkidle")
    await page.mouse.move(0, 0)  # away from what was pressed
    png = base64.b64encode(await page.screenshot(animations="disabled", caret="hide")).decode()
    blank = await page.context.new_page()
    picture = base64.b64decode(await blank.evaluate(TO_WEBP, [png, QUALITY]))
    await blank.close()
    return picture


def write(path: Path, picture: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(picture)
    print(path.name, len(picture), flush=True)


async def main(folder: Path, names: list[str]) -> None:
    try:
        for width, scheme in itertools.product(SCREENS, SCHEMES):
            await take(folder, names or _kept(width, scheme), width, scheme)
    finally:
        await BROWSER.close()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]) if sys.argv[1:] else FOLDER, sys.argv[2:]))
