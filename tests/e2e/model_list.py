"""Acting on one model in the admin's list, as an operator does."""

from playwright.async_api import Page, expect

from tests.e2e.site import Site


async def choose(page: Page, site: Site, model: str, action: str) -> None:
    """Choose an action for one model, and look at the question, if there is one."""
    await page.goto(f"{site.url}/admin/inference/servedmodel/")
    await page.locator("tr", has_text=model).locator("input[name=_selected_action]").check()
    await page.select_option("select[name=action]", action)
    await page.click("button[name=index]")


async def confirm(page: Page, model: str, state: str) -> None:
    """Say yes if there is a question: where nothing has to go, there is none."""
    question = page.locator("input[name=confirmed]")
    await expect(question.or_(page.locator(".messagelist")).first).to_be_visible()
    if await question.count():
        await question.click()
    await expect(page.locator(f'[data-state="{model}"]')).to_have_text(state, timeout=60_000)


async def open_model(page: Page, model: str) -> None:
    """Follow the link of a model's row, on the list."""
    await (
        page.locator("#result_list tr")
        .filter(has=page.locator(f'[data-state="{model}"]'))
        .locator("th a")
        .click()
    )
