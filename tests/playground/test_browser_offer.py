"""What a browser kept before its visitor signed in: favourites, saved prompts and default settings."""

import json
from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.nightly import nightly
from tests.playground.site import visiting

pytestmark = pytest.mark.browser


async def keep(page: Page, **values: Any) -> None:
    """Write what an open page would have kept."""
    for name, value in values.items():
        await page.evaluate(
            "([name, value]) => localStorage.setItem(`mlxsite.${name}`, value)", [name, json.dumps(value)]
        )


async def kept(page: Page, name: str) -> Any:
    return json.loads(
        await page.evaluate("(name) => localStorage.getItem(`mlxsite.${name}`)", name) or "null"
    )


async def starred(page: Page) -> list[str]:
    """The favourite models, as the list of models shows them."""
    await page.click("#picker-button")
    stars = page.locator(".option-star[aria-pressed=true]")
    names = [name or "" for name in await stars.evaluate_all("all => all.map((one) => one.ariaLabel)")]
    await page.keyboard.press("Escape")
    return sorted(name.removeprefix("Favourite ") for name in names)


@nightly
async def test_favourites_of_an_account_follow_it_and_those_of_the_browser_stay_there(address: str) -> None:
    async with visiting(address) as visit:
        page = visit.page
        await page.click("#picker-button")
        await page.get_by_role("button", name="Favourite endless-loader").click()
        await page.reload()
        assert await starred(page) == ["endless-loader"]
        await keep(
            page, **{"favourites.ann": ["slow-loader", "gone-model"]}
        )  # from before they were on the server
        await visit.sign_in("ann")
        assert await starred(page) == ["slow-loader"]
        await page.click("#picker-button")
        star = page.get_by_role("button", name="Favourite broken-model")
        await page.route("**/chat/favourites/", lambda route: route.abort())
        await star.click()
        await expect(page.locator("#toast")).to_contain_text("Your favourites were not saved.")
        await expect(star).to_have_attribute("aria-pressed", "false")
        await page.unroute("**/chat/favourites/")
        async with page.expect_response("**/chat/favourites/"):  # it is shown before it is saved
            await star.click()
        await expect(star).to_have_attribute("aria-pressed", "true")
        await page.keyboard.press("Escape")
        assert await kept(page, "favourites.ann") is None and await kept(page, "favourites") == [
            "endless-loader"
        ]
    async with visiting(address) as visit:
        assert await starred(visit.page) == []
        await visit.sign_in("ann")
        assert await starred(visit.page) == ["broken-model", "slow-loader"]


@nightly
async def test_what_the_browser_kept_is_offered_once_and_nothing_is_lost(address: str) -> None:
    prompts = [{"id": 1, "name": "Pirate", "text": "Arr."}, {"id": 2, "name": "Brief", "text": "Be brief."}]
    async with visiting(address) as visit:
        page = visit.page
        await keep(
            page, favourites=["slow-loader"], prompts=prompts, defaults={"temperature": "0.3", "system": "Hi"}
        )
        await visit.sign_in("beth")
        offer = page.get_by_role("region", name="Kept in this browser")
        await expect(offer).to_contain_text("1 favourite model")
        await expect(offer).to_contain_text("2 saved prompts")
        await expect(offer).to_contain_text("Default settings: Temperature 0.3, System prompt Hi")
        await page.click("#settings-button")
        await expect(page.locator("#set-temperature")).to_have_value("")  # offered, and not applied
        await offer.get_by_role("button", name="Leave them").click()
        await page.reload()
        await expect(page.locator("#whose")).to_have_text("Chats of beth")
        await expect(offer).to_be_hidden()
        await keep(page, favourites=["slow-loader", "endless-loader"])
        await page.reload()
        await offer.get_by_role("button", name="Add: 2 favourite models").click()
        await expect(offer.get_by_text("favourite")).to_have_count(0)
        assert await starred(page) == ["endless-loader", "slow-loader"]
        await page.route("**/chat/prompts/", lambda route: route.abort())
        await offer.get_by_role("button", name="Add: 2 saved prompts").click()
        await expect(page.locator("#toast")).to_contain_text("cannot be reached")
        assert await kept(page, "prompts") == prompts
        await page.unroute("**/chat/prompts/")
        await offer.get_by_role("button", name="Add: 2 saved prompts").click()
        await expect(page.locator("#toast")).to_contain_text("2 saved prompts were added")
        await offer.get_by_role("button", name="Use as my defaults").click()
        await expect(page.locator("#set-temperature")).to_have_value("0.3")
        await expect(offer).to_be_hidden()
        await page.locator("#toast").get_by_role("button", name="Undo").last.click()
        await expect(page.locator("#set-temperature")).to_have_value("")
        assert await kept(page, "defaults") == {"temperature": "0.3", "system": "Hi"}
        await page.fill("#set-seed", "7")
        await page.get_by_role("button", name="Use as my defaults", exact=True).last.click()
        await expect(page.locator("#settings-state")).to_contain_text("Saved")
        await page.reload()
        await expect(offer).to_contain_text("They would replace your account’s.")
        await page.get_by_text("Saved prompts").click()
        await expect(page.get_by_role("button", name="Use Pirate")).to_be_visible()
        assert [await kept(page, name) for name in ("prompts", "favourites")] == [None, None]
