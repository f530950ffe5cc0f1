"""Markdown, formulas and code in Chromium: a table of what models write, whole and in random pieces."""

from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.nightly import nightly
from tests.playground import code_cases, dollar_cases, math_cases, text_cases
from tests.playground.site import visiting

pytestmark = pytest.mark.browser
RENDERING = (Path(__file__).parent / "rendering.js").read_text()
CASES = [*math_cases.CASES, *dollar_cases.CASES, *code_cases.CASES, *text_cases.CASES]
LANGUAGES = ["bash", "diff", "html", "js", "markdown", "md", "py", "python", "sh"]
SEED = 20_240_229

# A box with Markdown in it that other scripts of the page reach as `window.markdown`.
OPEN = """async text => {
  const { Markdown } = await import("/static/playground/markdown.js");
  await import("/static/vendor/katex/katex.js");
  const root = document.createElement("div");
  root.className = "prose";
  root.id = "tried";
  document.querySelector("#thread").replaceChildren(root);
  window.markdown = new Markdown(root);
  window.markdown.show(text, false);
}"""
GROW = "([text, isFinal]) => window.markdown.show(text, isFinal)"


async def rendered(page: Page, cases: list[tuple[str, str]]) -> list[dict[str, Any]]:
    # A definition that comes late changes what refers to it; nothing else changes a block that was finished.
    listed = [{"text": text, "resolvesLate": "]: " in text} for text, _ in cases]
    options = {"cases": listed, "seed": SEED, "languages": LANGUAGES, "rounds": 1}
    results: list[dict[str, Any]] = await page.evaluate(RENDERING, options)
    return results


async def test_the_table_of_inputs_is_rendered_whole_and_in_random_pieces(address: str) -> None:
    assert len(CASES) >= 120
    async with visiting(address) as visit:
        results = await rendered(visit.page, CASES)
        wrong = [
            f"{text!r}: {found['shape']!r}, expected {expected!r}; {found['problems']}"
            for (text, expected), found in zip(CASES, results, strict=True)
            if found["shape"] != expected or found["problems"]
        ]
        assert wrong == [], "\n".join(wrong)
        assert (visit.complaints, visit.elsewhere) == ([], [])


async def test_a_growing_block_keeps_its_nodes_and_the_end_draws_nothing_anew(address: str) -> None:
    first, end = "Some *text* to select.\n\n```py\n" + "x" * 400, " = 1\n```\n\n" + "$x_1$ is.\n\n" * 500
    async with visiting(address) as visit:
        await visit.page.evaluate(OPEN, first)
        await visit.page.evaluate(
            """() => {
              const pre = document.querySelector("#tried pre");
              pre.scrollLeft = 150;
              getSelection().selectAllChildren(document.querySelector("#tried p"));
              window.before = [...document.querySelectorAll("#tried p, #tried pre, #tried button")];
            }"""
        )
        await visit.page.evaluate(GROW, [first + end, False])
        await expect(visit.page.locator("#tried math")).to_have_count(500)
        await visit.page.evaluate(
            "() => { window.formulas = [...document.querySelectorAll('#tried .math')].slice(0, 499) }"
        )
        await visit.page.evaluate(GROW, [first + end + "The end.", True])
        await expect(visit.page.locator("#tried math")).to_have_count(500)
        kept = await visit.page.evaluate(
            """() => [
              [...window.before, ...window.formulas].every(node => node.isConnected),
              document.querySelector("#tried pre").scrollLeft,
              getSelection().toString(),
            ]"""
        )
        assert kept == [True, 150, "Some text to select."]


async def test_each_block_has_the_direction_of_its_text(address: str) -> None:
    text = (
        "# عنوان\n\nمرحبا `code` $x$\n\nEnglish\n\n- أول\n\n- ثان\n\n> اقتباس\n\n"
        "| اسم | b |\n|---|---|\n| 1 | ب |\n\n"
        "```js\nlet x = 'مرحبا';\n```\n\n1. tight\n2. עברית\n"
    )
    async with visiting(address) as visit:
        await visit.page.evaluate(OPEN, text)
        await visit.page.evaluate(GROW, [text, True])
        found = await visit.page.evaluate(
            """() => [...document.querySelectorAll(
              "#tried :is(h1, p, li, ul, ol, blockquote, th, pre, code, .math)"
            )].map(node => `${node.localName} ${getComputedStyle(node).direction}`)"""
        )
        assert found == [
            *["h1 rtl", "p rtl", "code ltr", "span ltr", "p ltr"],
            *["ul rtl", "li rtl", "p rtl", "li rtl", "p rtl", "blockquote rtl", "p rtl", "th rtl", "th ltr"],
            *["pre ltr", "code ltr", "ol ltr", "li ltr", "li rtl"],
        ]


@nightly
async def test_tables_and_code_scroll_in_boxes_of_their_own_and_long_words_wrap(address: str) -> None:
    wide = "| " + " | ".join(f"column {n}" for n in range(30)) + " |\n" + "|---" * 30 + "|\n"
    text = f"{wide}\n```\n{'x' * 500}\n```\n\n{'w' * 500}\n\n`{'c' * 500}`\n\n- {'l' * 500}\n\n"
    text += f"$${'x+' * 200}x$$ in a line\n"
    async with visiting(address, viewport={"width": 390, "height": 800}) as visit:
        await visit.page.evaluate(OPEN, "")
        await visit.page.evaluate(GROW, [text, True])
        await visit.page.wait_for_selector("#tried math")
        boxes = await visit.page.evaluate(
            """() => ["#tried .wide", "#tried pre", "#tried .math", "#scroll", "html"].map(name => {
              const node = document.querySelector(name);
              return node.scrollWidth > node.clientWidth;
            })"""
        )
        assert boxes == [True, True, True, False, False]


@nightly
async def test_names_of_functions_have_the_spaces_that_tex_gives_them(address: str) -> None:
    async with visiting(address) as visit:
        await visit.page.evaluate(OPEN, "")
        await visit.page.evaluate(GROW, [r"$2 \sin x + \sin(x) + \sin^2 x + \log_2 n$", True])
        await visit.page.wait_for_selector("#tried math")
        spaces = """() => [...document.querySelectorAll("#tried mspace")].map(
          ({ previousElementSibling: before, nextElementSibling: after }) => [before, after].map(
            (one) => one.textContent.replace("\u2061", "") || "function"))"""
        beside = [["2", "sin"], ["function", "x"], ["sin2", "x"], ["log2", "n"]]
        assert await visit.page.evaluate(spaces) == beside
