"""The pieces of text that search shows."""

from playground.snippet import snippet


def joined(text: str, *terms: str) -> str:
    """The snippet with its hits in brackets."""
    return "".join(f"[{piece}]" if is_hit else piece for piece, is_hit in snippet(text, terms))


def test_each_hit_is_marked_as_it_is_written() -> None:
    assert joined("A Café and\n\n a CAFE", "cafe") == "A [Café] and a [CAFE]"


def test_of_capitals_only_the_hit_is_marked() -> None:
    assert joined("EIN STRASSENFEST – JA", "stra") == "EIN [STRA]SSENFEST – JA"


def test_a_long_text_is_cut_between_words() -> None:
    text = joined("before " * 30 + "sieve " + "after " * 60, "sieve")
    assert text.startswith("…before before") and "[sieve]" in text and text.endswith("after…")
    assert len(text) < 220


def test_text_without_blanks_and_long_hits() -> None:
    assert joined("今天天气很好", "天气") == "今天[天气]很好"
    assert joined("x" * 300, "x" * 200).count("[" + "x" * 200 + "]") == 1


def test_hits_that_overlap_are_one() -> None:
    assert joined("foobar", "foo", "foob", "bar") == "[foob]ar"
    assert joined("<b>bold</b>", "<b>") == "[<b>]bold</b>"


def test_the_place_with_most_terms_is_shown() -> None:
    text = "sieve " + "word " * 100 + "a sieve of Eratosthenes " + "word " * 100
    assert "a [sieve] of [Eratosthenes]" in joined(text, "sieve", "eratosthenes")


def test_no_hit_is_no_snippet() -> None:
    assert snippet("text", ["other"]) == []
