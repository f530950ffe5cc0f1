"""Hostile answers in Chromium: nothing runs, nothing leaves this origin, nothing trips the CSP."""

from typing import Any

import pytest
from playwright.async_api import expect

from tests.playground.scripts import HOSTILE
from tests.playground.site import visiting

pytestmark = pytest.mark.browser

RAW_HTML = [
    "<script>document.title='owned'</script>",
    "<img src=x onerror=document.title='owned'>",
    "<img src=http://evil.test/pixel>",
    "<a href=\"javascript:document.title='owned'\">x</a>",
    "<a href='data:text/html,x'>x</a>",
    "<a href='/logout/'>x</a>",
    "<a href='//evil.test/'>x</a>",
    "<iframe srcdoc='<script>parent.document.title=1</script>'></iframe>",
    "<svg onload=document.title='owned'><use href=http://evil.test/#x></svg>",
    "<p style='background:url(http://evil.test/)' onclick=x id=send data-x=1 aria-hidden=true>x</p>",
    "<form action=http://evil.test><input name=x><button>x</button></form>",
    "<math><mtext></table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=1&gt;'>",
    "<link rel=stylesheet href=http://evil.test/><meta http-equiv=refresh content=0;url=http://evil.test>",
    "<video src=http://evil.test/ autoplay></video><object data=http://evil.test/></object>",
]
# What this page's own Markdown adds: formulas, footnotes and languages of code.
HOSTILE_SYNTAX = r"""
$\href{javascript:document.title='owned'}{x}$ $\includegraphics{http://evil.test/x}$
$\htmlStyle{background:url(http://evil.test/)}{x}$

Note[^"><img/src=x/onerror=alert(1)>] and [a][^1]

[^"><img/src=x/onerror=alert(1)>]: <script>document.title = "owned"</script> [b](javascript:alert(1))

```x"onclick="document.title='owned'
code
```
"""
ACTIVE = "img, iframe, svg:not(.icon), script, form:not(.calls), input, style, math, [onclick], [style]"
REPORT_VIOLATIONS = "addEventListener('securitypolicyviolation', e => console.error(e.blockedURI))"
DESCRIBE = """async html => {
  const { fragment } = await import("/static/playground/sanitise.js");
  const box = document.createElement("div");
  box.append(fragment(html));
  document.body.append(box);
  const nodes = [...box.querySelectorAll("*")];
  return nodes.flatMap(node => [node.nodeName, ...[...node.attributes].map(a => `${a.name}=${a.value}`)]);
}"""


async def test_a_hostile_answer_is_only_text(address: str) -> None:
    async with visiting(address) as visit:
        await visit.page.evaluate(REPORT_VIOLATIONS)
        await visit.ask("Be hostile")
        answer = visit.page.locator(".message.is-assistant")
        await expect(answer).to_have_attribute("data-status", "done", timeout=20_000)
        await expect(answer.locator("> .prose")).to_contain_text("End of the hostile answer.")
        await expect(answer.locator(ACTIVE)).to_have_count(0)
        links: list[dict[str, Any]] = await answer.locator("> .prose a[href]").evaluate_all(
            "all => all.map(a => ({href: a.getAttribute('href'), rel: a.rel, target: a.target}))"
        )
        assert [link["href"] for link in links] == [
            "http://evil.test/pixel.png?d=secret",
            "http://good.test/",
        ]
        assert {(link["rel"], link["target"]) for link in links} == {("noopener noreferrer", "_blank")}
        assert await visit.page.title() == "Be hostile · mlxsite"
        await visit.ask(f"{HOSTILE}\n{HOSTILE_SYNTAX}\nAgain hostile")
        question = visit.page.locator(".message.is-user").last
        await expect(question.locator(".prose")).to_contain_text("Again hostile")
        await expect(question.locator(".tex-wrong, .math")).to_have_count(3)
        await expect(question.locator(ACTIVE.replace("math, ", ""))).to_have_count(0)
        await expect(question.locator("math :is(a, [href], [style*=url], img)")).to_have_count(0)
        hrefs = await question.locator("a[href]").evaluate_all("all => all.map(a => a.getAttribute('href'))")
        assert [href for href in hrefs if not href.startswith(("http://", "#note-"))] == []
        assert (visit.complaints, visit.elsewhere) == ([], [])


async def test_the_sanitiser_alone_lets_nothing_through(address: str) -> None:
    async with visiting(address) as visit:
        for html in RAW_HTML:
            left = set(await visit.page.evaluate(DESCRIBE, html))
            assert left <= {"A", "P"}, html
        assert await visit.page.title() == "Playground · mlxsite"
        assert visit.elsewhere == []
