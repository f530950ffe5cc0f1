"""Signing in by OpenID Connect in Chromium, under the site's own Content-Security-Policy."""

import pytest
from playwright.async_api import Page, expect

from tests.nightly import nightly
from tests.openid_provider import OpenIDProvider
from tests.playground import site
from tests.playground.site import visiting
from tests.playground.test_accessible import complaints

pytestmark = pytest.mark.browser


async def sign_in(page: Page) -> None:
    await page.get_by_role("link", name="Sign in with Team").click()
    await page.get_by_role("button", name="I am Ann").click()


@nightly
async def test_a_person_signs_in_chats_and_signs_out(provider: OpenIDProvider) -> None:
    provider.asks_for_a_click = True
    with site.fake_site(models=provider.issuer, module="tests.playground.openid_site") as address:
        async with visiting(address, reduced_motion="reduce") as visit:
            page = visit.page
            assert await complaints(page) == []
            await sign_in(page)
            await expect(page.get_by_role("alert")).to_contain_text(
                "Your account at Team may not sign in here"
            )
            assert await complaints(page) == []
            visit.complaints.clear()  # the browser's own line about the status 403
            provider.claims["groups"] = ["users"]
            await sign_in(page)
            await page.wait_for_url(address)
            await visit.ask("How does one list primes?")
            await expect(page.locator(".figures")).to_contain_text("tokens/s", timeout=20_000)
            await page.click("#account-button")
            menu = page.locator("#account")
            await expect(menu.locator(".menu-head")).to_have_text("ann")
            await expect(menu.get_by_text("Change password")).to_have_count(0)
            await menu.get_by_role("button", name="Sign out").click()
            await expect(
                page.get_by_role("heading", name="Sign in")
            ).to_be_visible()  # by way of the provider
            assert "/leave" in [place for place, _ in provider.requests]
            assert visit.complaints == []
            assert [url for url in visit.elsewhere if not url.startswith(provider.issuer)] == []
