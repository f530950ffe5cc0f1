import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.api.http.strict_json import MAX_DEPTH, MAX_VALUES, load_object, parse
from inference.api.openai.schemas import ChatCompletionBody
from inference.core.errors import InvalidJSON, InvalidValue
from tests.api.openai.asking import chat_body, error_of, post
from tests.each import each
from tests.fakes import FakeRunner, serving

BROKEN = {
    "empty": b"",
    "truncated": b'{"model": "ti',
    "trailing comma": b'{"model": "tiny",}',
    "trailing garbage": b'{"model": "tiny"} x',
    "comment": b'{"model": "tiny" /* x */}',
    "single quotes": b"{'model': 'tiny'}",
    "invalid utf-8": b'{"model": "\xff"}',
    "utf-16": '{"model": "tiny"}'.encode("utf-16"),
    "brackets": b"[" * 1_000_000,
    "deep object": b'{"a":' * 100_000,
    "null": b"null",
    "list": b"[]",
    "number": b"5",
    "string": b'"x"',
    "true": b"true",
    "nan": b'{"temperature": NaN}',
    "infinity": b'{"temperature": Infinity}',
    "minus infinity": b'{"temperature": -Infinity}',
    "overflowing float": b'{"temperature": 1e999}',
    "5000 digits": b'{"seed": ' + b"9" * 5000 + b"}",
    "40 digits": b'{"seed": ' + b"9" * 40 + b"}",
    "duplicate key": b'{"model": "a", "model": "b"}',
    "duplicate key below": b'{"messages": [{"role": "user", "role": "system"}]}',
    "lone surrogate": rb'{"model": "\ud800"}',
    "lone surrogate in a key": rb'{"\udfff": 1}',
    "too deep": b'{"a":' + b"[" * MAX_DEPTH + b"]" * MAX_DEPTH + b"}",
    "too many values": b'{"a":[' + b"0," * MAX_VALUES + b"0]}",
}


@pytest.mark.parametrize("body", BROKEN.values(), ids=BROKEN.keys())
def test_it_refuses_what_is_not_one_strict_json_object_quickly(body: bytes) -> None:
    started = time.thread_time()
    with pytest.raises(InvalidJSON):
        load_object(body)
    assert time.thread_time() - started < 0.1


def test_it_says_where_the_json_breaks_without_repeating_it() -> None:
    with pytest.raises(InvalidJSON, match=r"line 2, column 10") as caught:
        load_object(b'{\n"secret":oops}')
    assert "oops" not in caught.value.message


def test_it_takes_the_mark_that_some_editors_write_before_a_text() -> None:
    assert load_object(b'\xef\xbb\xbf{"model": "tiny"}') == {"model": "tiny"}


def test_it_takes_nesting_up_to_the_limit() -> None:
    inner = MAX_DEPTH - 2
    assert load_object(b'{"a":' + b"[" * inner + b"]" * inner + b"}")


@given(
    st.dictionaries(
        st.text(), st.recursive(st.none() | st.text() | st.integers(-(2**63), 2**63), st.lists, max_leaves=9)
    )
)
def test_it_reads_any_ordinary_object_as_the_standard_parser_does(value: dict[str, object]) -> None:
    assert load_object(json.dumps(value).encode()) == value


@each("text", ["a\x00b", "line\u2028break", "\u202eright to left", "é" + "\u0301" * 1000, "😀"])
def test_it_keeps_every_other_character_exactly(text: str) -> None:
    body = parse(
        json.dumps(chat_body(messages=[{"role": "user", "content": text}])).encode(), ChatCompletionBody
    )
    assert body.messages[0].content == text


@each(
    ("text", "number"),
    [("5.0", 5), ("-0.0", 0), ("1e3", 1000), ("5.5", 5.5), ("1e300", 1e300), ("1e-300", 1e-300)],
)
def test_a_whole_number_is_an_integer_however_it_is_written(text: str, number: float) -> None:
    read = load_object(b'{"n": ' + text.encode() + b"}")["n"]
    assert (read, type(read)) == (number, type(number))


def test_it_names_the_wrong_field_by_its_path() -> None:
    body = chat_body(messages=[{"role": "user", "content": [{"type": "text", "text": 5}]}])
    with pytest.raises(InvalidValue) as caught:
        parse(json.dumps(body).encode(), ChatCompletionBody)
    assert caught.value.param == "messages.0.content.0.text"


@each(
    "content_type",
    [
        "text/plain",
        "",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json; charset=latin-1",
    ],
)
async def test_it_refuses_other_media_types(content_type: str) -> None:
    response = await post("/v1/chat/completions", b"{}", content_type=content_type)
    assert (response.status_code, error_of(response)["code"]) == (415, "unsupported_media_type")


async def test_it_refuses_encoded_bodies() -> None:
    response = await post("/v1/chat/completions", b"{}", headers={"Content-Encoding": "gzip"})
    assert response.status_code == 415


async def test_it_refuses_a_body_over_the_limit_as_json() -> None:
    response = await post("/v1/completions", b" " * (8 * 2**20 + 1))
    assert (response.status_code, error_of(response)["code"]) == (413, "body_too_large")


async def test_it_refuses_a_text_over_the_limit_where_a_body_may_be_larger_for_its_pictures() -> None:
    body = chat_body(messages=[{"role": "user", "content": "a" * 8 * 2**20}])
    response = await post("/v1/chat/completions", body)
    assert (response.status_code, error_of(response)["code"]) == (413, "body_too_large")
    response = await post("/v1/chat/completions", b" " * (48 * 2**20 + 1))
    assert (response.status_code, error_of(response)["code"]) == (413, "body_too_large")


async def test_it_takes_a_body_of_exactly_the_limit() -> None:
    filler = 8 * 2**20 - len(json.dumps(chat_body(messages=[{"role": "user", "content": ""}])))
    body = chat_body(messages=[{"role": "user", "content": "a" * filler}])
    with serving(FakeRunner()):
        assert (await post("/v1/chat/completions", body)).status_code == 200
