"""The menus under messages, as a visitor uses them."""

from playwright.async_api import Locator


async def choose(message: Locator, name: str) -> None:
    """Open the menu of this message, and choose one of its entries."""
    await message.get_by_role("button", name="More", exact=True).click()
    await message.get_by_role("menuitem", name=name, exact=True).click()
