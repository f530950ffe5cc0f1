"""Titles as models write them, and as they are shown."""

from playground.title_text import LONGEST, cut_title, plain_title, title_of
from tests.each import each

AS_THEY_ARE = [
    '"Fix" and "Break"',
    "\"Fix\" and 'Break'",
    'How to "quote" things',
    'Fix "a" and "b"',
    'Monitor 27"',
    "Rock 'n' Roll",
    "'Twas the night",
    "The users' choice",
    "What **kwargs does",
    "The __init__ method",
    "snake_case and _private names",
    "2 * 3 * 4 = 24",
    "C++ vs. C#",
    "Life in the U.S.",
    "Why is it so?",
    "🚀 Launch plan 👩‍💻",
    "🚀",
    "Here is why: a story",
    "Title case rules",
    "1,000,000 and 3.14",
    "今天天气很好",
]
CLEANED = [
    ("**Fixing** the PATH", "Fixing the PATH"),
    ("__Fixing__ the PATH", "Fixing the PATH"),
    ("_Fixing_ foo_bar_baz", "Fixing foo_bar_baz"),
    ("***Wow***", "Wow"),
    ("`PATH` and `**kwargs`", "PATH and **kwargs"),
    ("~~No~~ Yes", "No Yes"),
    ("# A heading", "A heading"),
    ("- A bullet", "A bullet"),
    ("1. The first", "The first"),
    ("[A link](http://x.test/a_(b)) here", "A link here"),
    ("<b>Bold</b> move", "Bold move"),
    ('"A calm sieve"', "A calm sieve"),
    ("“A calm sieve”", "A calm sieve"),
    ("«Привет»", "Привет"),
    ("「天気」", "天気"),
    ("'Don't panic'", "Don't panic"),
    ('"How to "quote" things"', 'How to "quote" things'),
    ('"**Wow** now."', "Wow now"),
    ('"Fix the PATH', "Fix the PATH"),
    ("Fix the PATH.", "Fix the PATH"),
    ("Title: Foo bar", "Foo bar"),
    ("**Title:** Foo bar", "Foo bar"),
    ('Conversation Title: "Foo bar"', "Foo bar"),
    ("Titel: Foo bar", "Foo bar"),
    ("标题：今天天气", "今天天气"),
    ('Sure! Here\'s a title:\n\n"Foo bar"\n\nIt is short.', "Foo bar"),
    ("\n\nFoo bar\nAnother one", "Foo bar"),
    ("<think>A title…\nPerhaps</think>\n\nFoo bar", "Foo bar"),
    ("thoughts</think>Foo bar", "Foo bar"),
    ("<think>never ended", ""),
    ('{"title": "Sort \\"lists\\" fast"}', 'Sort "lists" fast'),
    ('```json\n{"title": "Foo bar"}\n```', "Foo bar"),
    ('{"title": "Cut off in the', "Cut off in the"),
    ('["One", "Two"]', "One"),
    ("Foo\u202e bar\x07", "Foo bar"),
    (' "" ', ""),
    ("***", ""),
    ("", ""),
]


@each("title", AS_THEY_ARE)
def test_a_plain_title_stays(title: str) -> None:
    assert plain_title(title) == title


@each(("generated", "title"), CLEANED)
def test_what_is_around_a_title_goes(generated: str, title: str) -> None:
    assert plain_title(generated) == title


@each(
    ("text", "cut"),
    [
        ("word " * 40, "word " * 11 + "word…"),
        ("x" * 300, "x" * LONGEST + "…"),
        ("Divide " + "so " * 15 + "1,250,000 people", "Divide " + "so " * 14 + "so…"),
        ("The value of all of those things is about 10 000 000 000 000 000 euro", None),
        ("今天" * 29 + "2024年", "今天" * 29 + "…"),
        ("🇩🇪" * 50, "🇩🇪" * (LONGEST // 2) + "…"),
        ("人" * 59 + "👩‍👩‍👧", "人" * 59 + "…"),
        ("In a list, with commas, that is so long that it is cut after, here", None),
    ],
)
def test_a_long_title_is_cut_where_it_may_be(text: str, cut: str | None) -> None:
    shown = cut_title(text)
    assert len(shown) <= LONGEST + 1 and shown.endswith("…")
    if cut:
        assert shown == cut
    else:
        rest = text[len(shown) - 1 :]
        assert text.startswith(shown[:-1]) and not shown[-2].isdigit() and rest[0] in " ,"


def test_a_number_is_never_cut() -> None:
    for blanks in range(LONGEST):
        shown = cut_title(
            "w" * blanks + " 1,234,567.89 and more and more and more and more and more and more"
        )
        assert "1,234,567.89" in shown or not any(char.isdigit() for char in shown)


def test_a_question_is_its_own_plain_title() -> None:
    assert title_of("What is  a\nsieve?") == "What is a sieve?"
    assert title_of("```python\nprint(1)\n```\nexplain **this**") == "print(1) explain this"
    assert title_of("```\n```") == "``` ```"
