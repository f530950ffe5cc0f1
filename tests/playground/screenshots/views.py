"""What each picture shows: a function brings the page from the empty chat into the state to be pictured."""

import json
from collections.abc import Awaitable, Callable

from playwright.async_api import FilePayload, Page, expect

from tests.playground.model_news import ModelNews
from tests.playground.screenshots.chats import BALL, LLAMA, QWEN, RAINBOW

View = Callable[[Page], Awaitable[None]]


async def empty(page: Page) -> None:
    await expect(page.locator("#welcome")).to_be_visible()


async def no_model(page: Page) -> None:
    news = ModelNews(page)
    await news.take_over()
    news.tell([])
    await expect(page.get_by_role("link", name="Download a model")).to_be_visible()


async def chat(page: Page) -> None:
    await open_chat(page, BALL)
    await page.locator("#scroll").evaluate("place => { place.scrollTop = 0; }")


async def settings(page: Page) -> None:
    await chat(page)
    await page.click("#settings-button")
    await page.fill("#set-system", "You are a patient teacher. Answer in at most three paragraphs.")
    await expect(page.locator("#settings-state")).to_contain_text("your defaults")


async def picker(page: Page) -> None:
    await page.click("#picker-button")
    await expect(page.locator(".option").first).to_be_visible()


async def comparison(page: Page) -> None:
    if await page.locator("#sidebar").is_visible():  # the columns have its place
        await page.click("#sidebar-toggle")
    if not await page.locator(".comparison-open:visible").count():
        await page.click("#picker-button")
    await page.locator(".comparison-open:visible").click()
    for box in await page.locator("#comparison input[type=checkbox]").all():
        await box.uncheck()
    for name in (QWEN, LLAMA):
        await page.get_by_role("checkbox", name=name, exact=True).check()
    await page.get_by_role("button", name="Compare", exact=True).click()
    await open_chat(page, RAINBOW)
    await page.get_by_role("button", name="Side by side").first.click()
    await expect(page.locator(".columns-name")).to_have_count(2)
    await page.locator("#scroll").evaluate("place => { place.scrollTop = 0; }")


async def search(page: Page) -> None:
    await show_list(page)
    await page.fill("#search", "ball")
    await expect(page.locator(".hit").first).to_be_visible()


async def deleted(page: Page) -> None:
    await show_list(page)
    for title in ("Translate: Wo ist der Ball?", "Names for a grey cat"):
        await page.get_by_role("button", name=f"More about {title}").click()
        await page.get_by_role("menuitem", name="Delete").click()
        await expect(page.get_by_role("link", name=title)).to_have_count(0)
    await page.click("#deleted-button")
    await expect(page.locator(".deleted-row")).to_have_count(2)


async def imported(page: Page) -> None:
    await show_list(page)
    head = {"format": "mlxsite-conversation-1"}
    message = {"id": 1, "parent": None, "role": "user", "content": "Which knot holds a hammock?"}
    good = head | {"title": "Knots for a hammock", "tip": 1, "messages": [message]}
    broken = head | {"title": "A chat that was cut off", "messages": "?"}
    text = json.dumps([good, broken]).encode()
    file: FilePayload = {"name": "chats.json", "mimeType": "application/json", "buffer": text}
    await page.set_input_files("#import-file", file)
    await expect(page.get_by_role("dialog", name="The import is done")).to_be_visible()


async def chats(page: Page) -> None:
    await show_list(page)
    await expect(page.get_by_role("link", name=BALL)).to_be_visible()


async def open_chat(page: Page, title: str) -> None:
    was_shown = await page.locator("#sidebar").is_visible()
    await show_list(page)
    await page.get_by_role("link", name=title).click()
    await expect(page.locator(".message.is-assistant .foot").first).to_be_attached()
    await page.wait_for_load_state("networkidle")
    if not was_shown and await page.locator("#sidebar").is_visible():
        await page.click("#sidebar-toggle")


async def show_list(page: Page) -> None:
    if not await page.locator("#sidebar").is_visible():
        await page.click("#sidebar-toggle")
    await expect(page.locator(".row").first).to_be_visible()


VIEWS: dict[str, View] = {
    "empty": empty,
    "no-model": no_model,
    "chat": chat,
    "picker": picker,
    "comparison": comparison,
    "search": search,
    "chats": chats,
    "import": imported,
    "deleted": deleted,
    "settings": settings,  # the last: the browser remembers that the panel is open
}
