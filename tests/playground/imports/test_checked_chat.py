"""A chat that is checked in slices is what a whole check makes of it."""

from typing import Any

import pytest

from inference.api.http import strict_json
from inference.core.errors import InvalidRequest, InvalidValue
from playground.imports.checked_chat import AT_ONCE, checked
from playground.schemas import MOST_IMPORTED, ImportBody
from tests.each import each


def chat(count: int, **changes: Any) -> dict[str, Any]:
    messages = [
        {"id": number, "parent": number - 1 if number else None, "role": "user", "content": "x", **changes}
        for number in range(count)
    ]
    return {"format": "mlxsite-conversation-1", "title": "Tea", "tip": 3, "messages": messages}


@each("count", [0, 1, AT_ONCE, AT_ONCE + 1, 2 * AT_ONCE, 2 * AT_ONCE + 7])
def test_slices_make_the_whole(count: int) -> None:
    fields = chat(count, at="2026-01-01")
    assert checked(fields) == strict_json.check(fields, ImportBody).model_dump(exclude_unset=True)


def test_no_check_has_more_than_a_slice(monkeypatch: pytest.MonkeyPatch) -> None:
    counts: list[int] = []
    real = strict_json.check

    def counting(fields: dict[str, Any], schema: type[ImportBody]) -> ImportBody:
        counts.append(len(fields["messages"]))
        return real(fields, schema)

    monkeypatch.setattr(strict_json, "check", counting)
    checked(chat(MOST_IMPORTED))
    assert max(counts) == AT_ONCE and sum(counts) == MOST_IMPORTED


@pytest.mark.parametrize("place", [3, AT_ONCE, 2 * AT_ONCE + 5])
@pytest.mark.parametrize("wrong", [{"role": "system"}, {"colour": "red"}, {"calls": [{"id": ""}]}])
def test_an_error_names_the_place_in_the_whole(place: int, wrong: dict[str, Any]) -> None:
    fields = chat(3 * AT_ONCE)
    fields["messages"][place] |= wrong
    with pytest.raises(InvalidRequest) as whole:
        strict_json.check(fields, ImportBody)
    with pytest.raises(type(whole.value)) as sliced:
        checked(fields)
    assert (sliced.value.message, sliced.value.param) == (whole.value.message, whole.value.param)
    assert (sliced.value.param or "").startswith(f"messages.{place}")


def test_too_many_messages_are_refused() -> None:
    with pytest.raises(InvalidValue, match="more than 10,000 messages"):
        checked(chat(MOST_IMPORTED + 1))


@each("fields", [{}, {"messages": None}, {"messages": "x"}])
def test_what_has_no_messages_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(InvalidValue):
        checked({"format": "mlxsite-conversation-1"} | fields)
