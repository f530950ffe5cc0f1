import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.core.byte_amounts import bytes_or_zero, parse_bytes
from tests.each import each


@each(
    ("text", "expected"),
    [("75%", 750), ("100 %", 1000), ("12GB", 12 * 10**9), ("1.5 mb", 1_500_000), ("900", 900), ("7B", 7)],
)
def test_it_reads_amounts_of_memory(text: str, expected: int) -> None:
    assert parse_bytes(text, total=1000) == expected


@each("text", ["", "lots", "0", "0%", "101%", "-5GB", "5 XB", "NaN", "1e9", "0.0000001KB"])
def test_it_refuses_what_is_no_amount(text: str) -> None:
    with pytest.raises(ValueError):
        parse_bytes(text, total=1000)


@given(st.text(max_size=20))
def test_an_amount_is_positive_or_refused(text: str) -> None:
    try:
        assert parse_bytes(text, total=1000) >= 0
    except ValueError:
        return


def test_nothing_is_an_amount_where_it_is_allowed() -> None:
    assert bytes_or_zero("0", total=1000) == 0
    assert bytes_or_zero("50%", total=1000) == 500
