"""Letters that search takes for the same, and where a folded text is in its original."""

from hypothesis import given
from hypothesis import strategies as st

from playground.folding import FoldedText, fold
from tests.each import each

MARKED = "e\N{COMBINING ACUTE ACCENT}"  # in whose text each part is looked at
MIXED = "aZ 09_\0…“—Éßİıſ™ﬁŁøΑΣσςάЯЁйїאבמُمកนำが天한ーＡ１　🚀👍🏽\u200d\ufe0fᎠꭰ"


@each(
    ("text", "folded"),
    [
        ("Café", "cafe"),
        ("Cafe\N{COMBINING ACUTE ACCENT}", "cafe"),
        ("STRASSE", "strasse"),
        ("Straße", "strasse"),
        ("İstanbul", "istanbul"),
        ("Ångström smørrebrød Łódź", "angstrom smorrebrod lodz"),
        ("Ёлка", "елка"),
        ("ΣΊΣΥΦΟΣ", "σισυφοσ"),
        ("Ｃ＋＋", "c++"),
        ("ﬁne", "fine"),
        ("مُحَمَّد", "محمد"),
        ("今天天气很好", "今天天气很好"),
        ("foo_bar() -> C++ 🚀", "foo_bar() -> c++ 🚀"),
        ("a\0b", "a b"),
    ],
)
def test_case_accents_and_forms_do_not_matter(text: str, folded: str) -> None:
    assert fold(text) == FoldedText(text).text == folded


@given(st.text(st.one_of(st.sampled_from(MIXED), st.characters(exclude_categories=["Cs"]))))
def test_a_text_is_folded_alike_whether_or_not_each_part_is_looked_at(text: str) -> None:
    assert fold(f"{text} {MARKED}") == f"{fold(text)} e"
    assert fold(text) == FoldedText(text).text


def test_marks_that_make_another_letter_stay() -> None:
    assert fold("か") != fold("が") == fold("か\N{COMBINING KATAKANA-HIRAGANA VOICED SOUND MARK}")
    assert fold("하") not in fold("한국")


@each(
    ("original", "term", "place"),
    [
        ("Die Straße im CAFÉ", "strasse", "Straße"),
        ("Die Straße im CAFÉ", "ass", "aß"),
        ("Die Straße im CAFÉ", "cafe", "CAFÉ"),
        ("Ein Cafe\N{COMBINING ACUTE ACCENT}!", "cafe", "Cafe\N{COMBINING ACUTE ACCENT}"),
        ("ﬁn de siècle", "n de siec", "n de sièc"),
        ("plain text", "text", "text"),
    ],
)
def test_a_folded_place_is_found_in_the_original(original: str, term: str, place: str) -> None:
    folded = FoldedText(original)
    start = folded.text.index(term)
    begin, end = folded.original_span(start, start + len(term))
    assert original[begin:end] == place
