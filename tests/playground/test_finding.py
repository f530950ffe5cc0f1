"""Finding chats in Chromium: search, folders, what was deleted, and which chats answer."""

import re

import pytest
from playwright.async_api import Page, Route, expect

from tests.nightly import nightly
from tests.playground.site import Visit, visiting, writing_titles
from tests.playground.test_accessible import complaints

pytestmark = pytest.mark.browser
ANSWER = ".message.is-assistant:last-child"
MAKE = """async ({ titles, folder }) => {
  const { call } = await import("/static/playground/api.js");
  for (const title of titles) {
    const messages = [
      { id: 1, parent: null, role: "user", content: `${title}: how?` },
      ...Array.from({ length: 40 }, (_, n) => ({
        id: n + 2, parent: n + 1, role: n % 2 ? "user" : "assistant",
        content: n === 5 ? "Die Straße in Łódź, مُحَمَّد"
          : n === 3 ? `The needle <img src=x> of ${title}, 今天天气很好` : `Line ${n}\\n\\n`.repeat(8),
      })),
      { id: 99, parent: 1, role: "assistant", content: `Another branch of ${title}` },
    ];
    const file = { format: "mlxsite-conversation-1", title, messages, tip: 41 };
    const made = await call("POST", "/chat/import/", file);
    if (folder) await call("PATCH", `/chat/conversations/${made.id}/`, { folder });
  }
}"""


MARKED = """[...CSS.highlights.get("search-hit")].map((range) => range.toString())"""
MOVE = """async ({ id, folder }) => {
  const { call } = await import("/static/playground/api.js");
  await call("PATCH", `/chat/conversations/${id}/`, { folder });
}"""
COMPOSED_ESCAPE = """() => document.querySelector("#search").dispatchEvent(
  new KeyboardEvent("keydown", { key: "Escape", isComposing: true, bubbles: true }))"""


async def make(page: Page, *titles: str, folder: str = "") -> None:
    await page.evaluate(MAKE, {"titles": titles, "folder": folder})


async def start_endless_answer(visit: Visit) -> None:
    await visit.ask("Talk forever")
    await expect(visit.page.locator(ANSWER)).to_have_attribute("data-status", "streaming")


async def test_a_hit_is_marked_and_leads_to_its_message(address: str) -> None:
    async with visiting(address) as visit:
        page = visit.page
        await make(page, "Quokkas")
        search, rows = (
            page.get_by_role("searchbox", name="Search your conversations"),
            page.locator(".row-link"),
        )
        await search.fill("quokkas 天气")
        await expect(rows).to_have_count(1)
        await expect(page.locator(".hit")).to_have_count(1)
        assert await page.locator(".hit mark").all_inner_texts() == ["Quokkas", "天气"]
        assert await page.locator(".sidebar img").count() == 0  # a snippet is text
        assert await complaints(page) == []
        await page.locator(".hit").click()
        found = page.locator(".message.is-found")
        await expect(found).to_contain_text("The needle")
        await expect(found).to_be_in_viewport()
        await search.fill("BRANCH of quokkas")
        await expect(page.locator(".hit")).to_contain_text("Another branch")
        await search.press("Enter")  # opens the first result
        await expect(page.locator(ANSWER)).to_contain_text("Another branch of Quokkas")
        await expect(page.locator(".message")).to_have_count(2)
        await search.fill("strasse ŁÓDŹ محمد")
        await page.locator(".hit", has_text="Straße").click()  # the one before may still be there
        await expect(page.locator(".message.is-found")).to_contain_text("Straße")
        assert set(await page.evaluate(MARKED)) == {"Straße", "Łódź", "مُحَمَّد"}
        for nothing in ("~", "§§", "%%", "__", "<<>>"):
            await search.fill(f"quokkas {nothing}")
            await expect(page.locator(".conversations")).to_contain_text("No results.")
        await search.fill("  ")
        await expect(page.locator(".hit")).to_have_count(0)
        assert visit.complaints == []


@nightly
async def test_the_keyboard_goes_through_results_and_escape_stops_no_answer(address: str) -> None:
    async with visiting(address) as visit:
        page = visit.page
        await make(page, "Numbat one", "Numbat two")
        await start_endless_answer(visit)
        await page.keyboard.press("Control+k")
        await page.keyboard.type("numbat")
        await expect(page.locator(".row-link")).to_have_count(2)
        focused = page.locator(":focus")
        await page.keyboard.press("ArrowDown")
        await expect(focused).to_contain_text("Numbat two")
        await page.keyboard.press("ArrowDown")
        await expect(focused).to_have_class("hit")
        await page.keyboard.press("ArrowUp")
        await page.keyboard.press("ArrowUp")
        await expect(focused).to_have_attribute("id", "search")
        await page.evaluate(COMPOSED_ESCAPE)
        await expect(page.locator("#search")).to_have_value("numbat")
        for _ in range(2):
            await page.keyboard.press("Escape")
        await expect(page.locator("#search")).to_have_value("")
        await expect(page.get_by_role("link", name="Talk forever").first).to_be_visible()
        assert await page.locator(ANSWER).get_attribute("data-status") == "streaming"
        await page.locator("#prompt").press("Escape")
        await expect(page.locator(ANSWER)).to_have_attribute("data-status", "stopped")


@nightly
async def test_folders_fold_stand_once_and_take_chats(address: str) -> None:
    async with visiting(address) as visit:
        page = visit.page
        await make(page, "Bilby one", "Bilby two", folder="Bilbies")
        await make(page, "Dunnart")
        await make(page, "Bilby three", folder="Bilbies")
        bilbies = page.get_by_role("region", name="Folder Bilbies")
        await expect(bilbies.locator(".row-link")).to_have_text(["Bilby three", "Bilby two", "Bilby one"])
        await expect(page.locator(".group", has_text="Bilbies")).to_have_count(1)
        dunnart = page.get_by_role("link", name="Dunnart")
        await dunnart.drag_to(bilbies)
        await expect(bilbies.locator(".row-link")).to_have_count(4)
        await dunnart.drag_to(page.locator(".unfiled"), target_position={"x": 20, "y": 10})  # it may be long
        await expect(bilbies.locator(".row-link")).to_have_count(3)
        await menu(page, "Dunnart", "Move to folder")
        dialog = page.get_by_role("dialog", name="Move to folder")
        await dialog.get_by_label("New folder").fill("Mice")
        await page.keyboard.press("Enter")
        mice = page.get_by_role("region", name="Folder Mice")
        await expect(mice.get_by_role("link", name="Dunnart")).to_be_visible()
        await page.get_by_role("button", name="Bilbies", exact=True).click()
        await page.reload()
        await expect(mice.get_by_role("link", name="Dunnart")).to_be_visible()
        await expect(bilbies.locator(".row-link").first).to_be_hidden()
        await menu(page, "the folder Mice", "Rename folder")
        dialog = page.get_by_role("dialog", name="Rename folder")
        await dialog.get_by_label("Name").fill("Bilbies")
        await page.keyboard.press("Enter")
        await expect(dialog.get_by_role("alert")).to_contain_text("A folder “Bilbies” already exists.")
        await dialog.get_by_label("Name").fill("Marsupials")
        await page.keyboard.press("Enter")
        await expect(mice).to_have_count(0)
        await expect(page.get_by_role("button", name="Marsupials", exact=True)).to_be_focused()
        await menu(page, "the folder Marsupials", "Delete folder")
        await page.get_by_role("dialog").get_by_role("button", name="Delete folder").click()
        await expect(page.get_by_role("button", name="New folder")).to_be_focused()
        await expect(page.locator(".unfiled").get_by_role("link", name="Dunnart")).to_be_visible()


async def menu(page: Page, name: str, item: str) -> None:
    await page.get_by_role("button", name=f"More about {name}").click()
    await page.get_by_role("menuitem", name=item).click()


@nightly
async def test_deleted_chats_are_restored_and_deleted_for_good(address: str) -> None:
    async with visiting(address) as visit:
        page = visit.page
        await make(page, "Kowari one", "Kowari two", "Kowari three")
        for name in ("one", "two", "three"):
            await menu(page, f"Kowari {name}", "Delete")
            await expect(page.get_by_role("link", name=f"Kowari {name}")).to_have_count(0)
        await page.get_by_role("button", name="Deleted").click()
        deleted = page.get_by_role("dialog", name="Deleted", exact=True)
        row = deleted.locator("li", has_text="Kowari one")
        await expect(row).to_contain_text("30 days left")
        assert await complaints(page) == []
        await row.get_by_role("button", name="Restore").click()
        await expect(row).to_have_count(0)
        await (
            deleted.locator("li", has_text="Kowari two").get_by_role("button", name="Delete for good").click()
        )
        await (
            page.get_by_role("dialog", name="Delete for good?")
            .get_by_role("button", name="Delete for good")
            .click()
        )
        await expect(deleted.locator("li", has_text="Kowari two")).to_have_count(0)
        await deleted.get_by_role("button", name="Empty").click()
        await page.get_by_role("button", name="Delete all").click()
        await expect(deleted).to_contain_text("Nothing was deleted")
        await page.keyboard.press("Escape")
        await expect(page.get_by_role("link", name=re.compile("^Kowari"))).to_have_text(["Kowari one"])
        chat = await page.get_by_role("link", name="Kowari one").get_attribute("href")
        await menu(page, "Kowari one", "Delete")
        await expect(page.get_by_role("button", name="Undo").last).to_be_focused()
        await page.goto(f"{address}{chat}".replace("//c/", "/c/"))
        await page.get_by_role("button", name="Deleted chats").click()
        await row.get_by_role("button", name="Restore").click()
        await expect(deleted.get_by_role("button", name="Close")).to_be_focused()


@nightly
async def test_all_windows_show_which_chats_answer_and_new_titles(address: str) -> None:
    async with writing_titles(address), visiting(address) as visit:
        page = visit.page
        other = await page.context.new_page()
        await other.goto(address)
        await expect(other.locator("#sidebar")).to_be_visible()
        await start_endless_answer(visit)
        for window in (page, other):
            link = window.get_by_role("link", name="Talk forever Answering")
            await expect(link.first).to_be_visible()
        await page.evaluate(MOVE, {"id": page.url.rpartition("/")[2], "folder": "Talkers"})
        await other.get_by_role("button", name="Talkers", exact=True).click()  # folded, it has the dot itself
        await expect(
            other.locator(".folder-head", has_text="Talkers").get_by_title("Answering")
        ).to_be_visible()
        await page.click("#send")
        for window in (page, other):
            await expect(window.get_by_role("link", name="Talk forever Answering")).to_have_count(0)
        await visit.page.click("#new-chat")
        await visit.ask("Whose title comes by itself?")
        for window in (page, other):
            await expect(window.get_by_role("link", name="A sieve is the calm way").first).to_be_visible(
                timeout=30_000
            )
        await expect(page).to_have_title(re.compile("A sieve is the calm way"))


@nightly
async def test_a_list_that_could_not_be_loaded_is_loaded_again(address: str) -> None:
    async with visiting(address) as visit:
        page, refused = visit.page, []

        async def refuse_twice(route: Route) -> None:
            refused.append(route.request.url)
            await (route.abort() if len(refused) == 1 else route.fulfill(status=503, json={}))

        await make(page, "Voles")
        await expect(page.get_by_role("link", name="Voles", exact=True)).to_be_visible()
        await page.route(re.compile(r"/chat/conversations/\?"), refuse_twice, times=2)
        await make(page, "Shrews")
        await expect(page.get_by_role("link", name="Shrews", exact=True)).to_be_visible()
        assert len(refused) == 2
        visit.complaints.clear()
