"""Pictures in the browser: pasted, dropped, taken, sent to a model that sees, looked at large, exported."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Locator, Page, expect

from tests import pictures
from tests.nightly import nightly
from tests.playground.site import fake_site, visiting
from tests.playground.test_accessible import complaints

pytestmark = pytest.mark.browser
WIDE, TALL = pictures.png(60, 20), pictures.png(30, 90)
HEIC = b"\0\0\0\x18ftypheic" + b"\0" * 16
QUESTION, ANSWER = ".message.is-user", ".message.is-assistant:last-child"
PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 800}, "has_touch": True, "is_mobile": True}
PASTE = """([name, type, bytes]) => {
  const data = new DataTransfer();
  data.items.add(new File([new Uint8Array(bytes)], name, { type }));
  document.activeElement.dispatchEvent(
    new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
}"""
DROP = """(files) => {
  const data = new DataTransfer();
  for (const [name, type, bytes] of files) data.items.add(new File([new Uint8Array(bytes)], name, { type }));
  for (const kind of ["dragenter", "dragover", "drop"]) document.querySelector("#prompt").dispatchEvent(
    new DragEvent(kind, { dataTransfer: data, bubbles: true, cancelable: true }));
}"""
IS_TOO_WIDE = "part => document.querySelector(part).scrollWidth > innerWidth"
IS_DRAWN = "image => image.complete && image.naturalWidth > 0"


@pytest.fixture(scope="module")
def seeing() -> Iterator[str]:
    """A site with a model that reads text only, and two that see."""
    with fake_site(models="seeing") as served:
        yield served


def file(name: str, content: bytes, media_type: str = "image/png") -> list[Any]:
    return [name, media_type, list(content)]


async def drawn(image: Locator) -> None:
    """The picture has arrived, and the browser can show it."""
    await expect(image).to_be_visible()
    await image.page.wait_for_function(IS_DRAWN, arg=await image.element_handle())


async def ended(page: Page) -> None:
    await expect(page.locator(ANSWER)).to_have_attribute("data-status", "done", timeout=20_000)


async def test_pictures_are_pasted_dropped_and_sent_to_a_model_that_sees(seeing: str) -> None:
    async with visiting(seeing, reduced_motion="reduce", color_scheme="dark") as visit:
        page = visit.page
        chips = page.get_by_role("list", name="Attached files").get_by_role("listitem")
        notice = page.get_by_role("region", name="Pictures and the model")
        await page.fill("#prompt", "Please echo")
        await page.evaluate(PASTE, file("image.png", WIDE))
        await drawn(chips.locator("img"))
        await expect(chips).to_contain_text(f"60 × 20 · {len(WIDE)} bytes")
        await expect(chips).not_to_contain_text("tokens")  # this model has none for it
        await expect(notice).to_contain_text("text-model reads text only, and your question has a picture.")
        assert await complaints(page) == []
        await page.press("#prompt", "Enter")
        await expect(page.locator("#toast")).to_contain_text("The model 'text-model' reads text only")
        await expect(page.locator("#prompt")).to_have_value("Please echo")  # and no word is lost
        await expect(page.locator(QUESTION)).to_have_count(0)
        await expect(notice.get_by_role("button")).to_have_count(2)
        await notice.get_by_role("button", name="Use mlx-community/wide-eyes-27b").click()
        await expect(notice).to_be_hidden()
        await expect(chips).to_contain_text("· about 4 tokens")  # it is not loaded, and cannot count
        await page.click("#picker-button")
        await page.locator(".option").filter(has_text="eyes-8b").click()
        await expect(chips).to_contain_text("· 70 tokens")
        await expect(page.locator("#gauge")).to_contain_text("73 of 8,192 tokens")
        dropped = [file("tall.png", TALL), file("IMG_1.HEIC", HEIC, "image/heic"), file("cut.png", WIDE[:-8])]
        await page.evaluate(DROP, dropped)
        told = {
            "IMG_1.HEIC": "It is a picture in the format HEIC, which is not supported",
            "cut.png": "It is damaged: the file is cut off.",
        }
        for name, words in told.items():
            await expect(chips.filter(has_text=name)).to_contain_text(f"It will not be sent. {words}")
        await page.get_by_role("button", name="Remove cut.png").click()
        await drawn(chips.filter(has_text="tall.png").locator("img"))
        await page.reload()
        await expect(chips).to_have_count(2)  # also after a reload
        await expect(page.locator("#prompt")).to_have_value("Please echo")
        await page.press("#prompt", "Enter")
        await ended(page)
        seen = page.locator(f"{ANSWER} > .prose")
        for words in ("[image/png, 60 × 20", "[image/png, 30 × 90", "Please echo"):
            await expect(seen).to_contain_text(words)
        await expect(page.locator(QUESTION).locator(".thumb")).to_have_count(2)
        assert visit.elsewhere == []
        assert not [one for one in visit.complaints if "Content Security Policy" in one]


@nightly
async def test_sent_pictures_open_large_and_are_edited_exported_and_imported(
    seeing: str, tmp_path: Path
) -> None:
    wide, tall = tmp_path / "wide.png", tmp_path / "tall.png"
    wide.write_bytes(WIDE)
    tall.write_bytes(TALL)
    async with visiting(seeing, reduced_motion="reduce") as visit:
        page, question = visit.page, visit.page.locator(QUESTION)
        await page.set_input_files("#attach-file", [wide, tall])
        await page.get_by_role("button", name="Use eyes-8b").click()
        await visit.ask("Please echo")
        await ended(page)
        for image in await question.locator(".thumb img").all():
            await drawn(image)
        await look_at_both(page, question)
        assert await complaints(page) == []
        await question.hover()
        await question.get_by_role("button", name="Edit").click()
        form = page.locator("form.edit")
        await drawn(form.locator(".chip img").first)
        await form.get_by_role("button", name="Remove wide.png").click()
        await form.get_by_role("button", name="Send").click()
        await expect(question.locator(".thumb")).to_have_count(1)
        await ended(page)
        await expect(page.locator(f"{ANSWER} > .prose")).not_to_contain_text("60 × 20")
        chat = page.url.rpartition("/")[2]
        exported = await page.request.get(f"{seeing}chat/conversations/{chat}.json")
        whole = await exported.json()
        assert len(whole["pictures"]) == 2
        copy = tmp_path / "copy.json"
        copy.write_text(json.dumps(whole | {"title": "The copy"}))
        before = page.url
        await page.set_input_files("#import-file", copy)
        await page.wait_for_url(lambda url: url != before)
        await drawn(question.locator(".thumb img"))
        assert visit.elsewhere == []
        assert visit.complaints == []


async def look_at_both(page: Page, question: Locator) -> None:
    """Open the second picture with the keyboard, go to the first, and come back."""
    opener = question.get_by_role("button", name="View tall.png")
    await opener.focus()
    await page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Picture")
    await drawn(dialog.get_by_role("img", name="tall.png"))
    await expect(dialog.get_by_role("status")).to_contain_text("2 of 2 · tall.png · 30 × 90")
    assert await complaints(page) == []
    await page.keyboard.press("ArrowRight")  # goes round
    await drawn(dialog.get_by_role("img", name="wide.png"))
    await dialog.get_by_role("button", name="Picture before").click()
    await expect(dialog.get_by_role("status")).to_contain_text("2 of 2 · tall.png")
    await page.keyboard.press("Escape")
    await expect(dialog).to_have_count(0)
    await expect(opener).to_be_focused()


@nightly
async def test_a_phone_takes_pictures(seeing: str, tmp_path: Path) -> None:
    taken = tmp_path / "image.png"
    taken.write_bytes(pictures.png(1600, 500))
    async with visiting(seeing, reduced_motion="reduce", **PHONE) as visit:
        page = visit.page
        await expect(page.get_by_role("button", name="Take a picture")).to_be_visible()
        assert await page.locator("#camera").get_attribute("capture") == "environment"
        async with page.expect_file_chooser() as choosing:
            await page.get_by_role("button", name="Take a picture").tap()
        await (await choosing.value).set_files(taken)
        await drawn(page.locator(".chip img"))
        await expect(page.get_by_role("region", name="Pictures and the model")).to_be_visible()
        assert not await page.evaluate(IS_TOO_WIDE, "html")
        assert await complaints(page) == []
        await page.get_by_role("button", name="View image.png").tap()
        await drawn(page.get_by_role("dialog").locator("img"))
        assert not await page.evaluate(IS_TOO_WIDE, ".lightbox")
        await expect(page.get_by_role("dialog").locator("img")).to_be_in_viewport(ratio=1)
    async with visiting(seeing) as visit:
        await expect(visit.page.get_by_role("button", name="Attach files")).to_be_visible()
        await expect(visit.page.get_by_role("button", name="Take a picture")).to_be_hidden()
