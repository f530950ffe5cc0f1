import pytest
from django.core.exceptions import ValidationError

from inference.forms import NamesField


@pytest.mark.parametrize(
    ("written", "names"),
    [("", []), (" \r\n ", []), ("a", ["a"]), (" a \r\n\r\nb c\n", ["a", "b c"])],
)
def test_names_are_written_one_a_line(written: str, names: list[str]) -> None:
    assert NamesField(required=False).clean(written) == names


def test_names_are_shown_as_they_are_written() -> None:
    assert NamesField().prepare_value(["a", "b"]) == "a\nb"


def test_a_form_sent_back_as_it_was_has_not_changed() -> None:
    field = NamesField(required=False)
    assert not field.has_changed(["a", "b"], "a\r\nb\r\n")
    assert field.has_changed(["a"], "b")


def test_no_book_is_read() -> None:
    with pytest.raises(ValidationError, match="at most"):
        NamesField().clean("x\n" * 10_000)
