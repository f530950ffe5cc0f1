"""The objects of a JSON list as texts, however the file is cut into chunks."""

import io
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.imports import json_elements
from playground.imports.json_elements import NotJSON, UnreadableElement, elements
from tests.each import each

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text('ab"\\[]{},:é\n', max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text('k"]', max_size=3), inner, max_size=3)
    ),
    max_leaves=10,
)


@settings(max_examples=60, deadline=None)
@given(chats=st.lists(st.dictionaries(st.just("k"), VALUES), max_size=4), chunk=st.integers(80, 200))
def test_any_list_comes_back_whole(chats: list[dict[str, Any]], chunk: int) -> None:
    texts = [
        json.dumps(chats, indent=1),
        json.dumps(chats, ensure_ascii=False),
        "\ufeff" + json.dumps({"format": 'x"', "at": 1, "conversations": chats, "more": [{"a": 1}]}),
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_elements, "_CHUNK", chunk)
        assert [[json.loads(one) for one in elements(io.StringIO(text))] for text in texts] == [chats] * 3


def test_an_object_is_one_element_and_lists_in_it_are_its_own() -> None:
    chat = {"messages": [{"a": 1}], "data": [1]}
    assert [json.loads(one) for one in elements(io.StringIO(json.dumps(chat)))] == [chat]


def test_a_broken_element_is_kept_as_it_is_and_the_next_one_is_found() -> None:
    text = '[{"a": oops,}, {"b": 1}, 7, {"c": "[}"}]'
    assert list(elements(io.StringIO(text))) == ['{"a": oops,}', '{"b": 1}', '{"c": "[}"}']


def test_a_file_that_ends_early_says_so() -> None:
    first, last = elements(io.StringIO('[{"a": 1}, {"b": "never end'))
    assert first == '{"a": 1}' and isinstance(last, UnreadableElement) and "cut off" in last


def test_what_is_too_long_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_elements, "MAX_ELEMENT", 20)
    first, long, last = elements(io.StringIO(json.dumps([{"a": 1}, {"b": "x" * 30}, {"c": 2}])))
    assert (first, last) == ('{"a": 1}', '{"c": 2}') and isinstance(long, UnreadableElement)


@each("text", ["", "  ", "# Markdown", "7", '"text"'])
def test_anything_else_is_no_json_file_of_ours(text: str) -> None:
    with pytest.raises(NotJSON):
        list(elements(io.StringIO(text)))
