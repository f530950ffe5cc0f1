"""Marks of ChatGPT's page in its texts."""

from playground.imports.chatgpt_marks import replaced
from tests.each import each


@each(
    ("text", "expected"),
    [
        ("plain \U0001f375", "plain \U0001f375"),
        ("Tea is old. \ue200cite\ue202turn0search0\ue202turn0search1\ue201 Yes.", "Tea is old.  Yes."),
        (
            "See \ue200url\ue202the page\ue202https://example.org\ue201.",
            "See [the page](https://example.org).",
        ),
        ('In \ue200entity\ue202["city","Paris","France"]\ue201.', "In Paris."),
        ("In \ue200entity\ue202oops\ue201.", "In ."),
        ("cut \ue200cite\ue202turn0", "cut citeturn0"),
    ],
)
def test_marks_are_replaced(text: str, expected: str) -> None:
    assert replaced(text) == expected
