"""Signing in to a site that is under test."""

import re
from pathlib import Path

from playwright.async_api import Page

from tests.e2e.site import Site

MODELS = "/admin/inference/servedmodel/"


async def sign_in(page: Page, site: Site, at: str = MODELS, name: str = "admin", password: str = "") -> None:
    """Come to a page as somebody, the operator unless another is given.

    Who has been there before comes with the cookies of then: to check a password takes a good part of a
    second, as it should.
    """
    address = f"{site.url}{at}"
    if page.url != address:
        await page.goto("about:blank")  # or the page's last request could have the cookies of somebody else
        await page.context.add_cookies(site.cookies.get(name, []))
        await page.goto(address)
    if page.url == address:
        return
    await page.fill("#id_username", name)
    await page.fill("#id_password", password or first_password(site))
    await page.press("#id_password", "Enter")
    await page.wait_for_url(address)
    site.cookies[name] = await page.context.cookies()


def first_password(site: Site) -> str:
    """The operator's, from the file that the first start names where nobody looks at a terminal."""
    found = re.search(r"the password is in the file (.+)\n", site.output)
    assert found, site.output
    return Path(found[1]).read_text().strip()
