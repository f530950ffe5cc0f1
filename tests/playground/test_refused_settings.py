"""A setting that only the server refuses leads to its field, and what the settings send."""

import json

import pytest
from playwright.async_api import Route, expect

from tests.playground.site import visiting

pytestmark = pytest.mark.browser
LAST = ".message.is-assistant:last-child"


async def test_a_refused_setting_is_marked_at_its_field(address: str) -> None:
    async with visiting(address) as visit:
        page = visit.page
        await page.click("#settings-button")
        await page.get_by_text("Output format", exact=True).click()
        await page.get_by_label("Format").select_option("grammar")
        grammar = page.get_by_label("Grammar", exact=True)
        await grammar.fill("root ::= unknown_rule")
        await page.get_by_role("button", name="Close", exact=True).click()
        await visit.ask("Please echo")
        await expect(page.locator(LAST)).to_have_attribute("data-status", "failed")
        await expect(grammar).to_be_focused()
        await expect(grammar).to_have_attribute("aria-invalid", "true")
        await expect(page.locator("#set-grammar-problem")).to_contain_text("there is no unknown_rule")
        await expect(page.locator("#toast")).to_contain_text(
            "Not answered. Grammar: The format cannot be enforced"
        )
        await expect(page.locator("#settings-button")).to_contain_text("with a mistake")
        await grammar.fill('root ::= "yes"')
        await expect(grammar).to_have_attribute("aria-invalid", "false")
        await page.get_by_role("button", name="Try again").click()
        await expect(page.locator(LAST)).to_contain_text("grammar grammar")
        await page.get_by_label("Format").select_option("text")
        refusal = {
            "error": {"message": "This top_k is too large.", "param": "top_k", "code": "invalid_value"}
        }

        async def refuse(route: Route) -> None:  # what a newer server may refuse
            await route.fulfill(status=400, content_type="application/json", body=json.dumps(refusal))

        await page.fill("#set-top-k", "7")
        await page.route("**/chat/ask/", refuse)
        await visit.ask("Kept words")
        await expect(page.locator("#set-top-k")).to_be_focused()
        await expect(page.locator("#set-top-k-problem")).to_have_text("This top_k is too large.")
        await expect(page.locator("#prompt")).to_have_value("Kept words")
        await expect(page.locator("#toast")).to_contain_text("Not sent. Top k: This top_k is too large.")
        await page.unroute("**/chat/ask/")
        await page.press("#prompt", "Enter")  # nothing holds what another model may take
        await expect(page.locator("#set-top-k-problem")).to_be_empty()
        await expect(page.locator(".message.is-user")).to_have_count(2)


async def test_a_stop_sequence_may_have_a_line_feed(address: str) -> None:
    async with visiting(address) as visit:
        page = visit.page
        await page.click("#settings-button")
        await page.locator("summary", has_text="Stop sequences").click()
        await page.get_by_label("Stop sequences", exact=True).fill("one\\ntwo")
        async with page.expect_request("**/chat/ask/") as asked:
            await visit.ask("Please echo")
        body = (await asked.value).post_data_json
        assert body and body["question"]["stop"] == ["one\ntwo"]
