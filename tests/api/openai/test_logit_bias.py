"""The forms of a logit bias: OpenAI's object, and llama.cpp's pairs, texts and `false`."""

from typing import Any

import pytest

from inference.core.errors import InvalidValue
from tests.api.openai.test_schemas import chat
from tests.each import each


@each(
    ("bias", "ids", "texts"),
    [
        ({"5": 1, "007": -100}, ((5, 1.0), (7, -100.0)), ()),
        ([[5, 1], [7, -0.5]], ((5, 1.0), (7, -0.5)), ()),
        ({"Hello, World!": -0.5, "5": 2}, ((5, 2.0),), (("Hello, World!", -0.5),)),
        ([["Hello", 3], [5, 2]], ((5, 2.0),), (("Hello", 3.0),)),
        ([["42", 1]], (), (("42", 1.0),)),  # in a pair, digits are a text
        ({"1.5": 1, " i ": 1}, (), (("1.5", 1.0), (" i ", 1.0))),
        ([[5, 1], [5, 1]], ((5, 1.0), (5, 1.0)), ()),
        ([], (), ()),
        ({}, (), ()),
    ],
)
def test_tokens_are_named_by_ids_and_by_texts(bias: Any, ids: Any, texts: Any) -> None:
    sampling = chat(logit_bias=bias).sampling
    assert (sampling.logit_bias, sampling.text_bias) == (ids, texts)


@pytest.mark.parametrize("bias", [[[5, False], ["no", False], [6, 0]], {"5": False, "no": False, "6": 0}])
def test_false_is_a_token_that_never_comes(bias: Any) -> None:
    body = chat(logit_bias=bias)
    assert (body.rules.banned_ids, body.rules.banned_texts) == ((5,), ("no",))
    assert (body.sampling.logit_bias, body.sampling.text_bias) == (((6, 0.0),), ())


@each(
    ("bias", "param"),
    [
        ([5], "logit_bias.0"),
        ([[5]], "logit_bias.0"),
        ([[5, 1, 2]], "logit_bias.0"),
        ([{"id": 5}], "logit_bias.0"),
        ([[5, 1], [5, True]], "logit_bias.1.1"),
        ([[5, None]], "logit_bias.0.1"),
        ([[5, "1"]], "logit_bias.0.1"),
        ([[5, 100.5]], "logit_bias.0.1"),
        ([[-1, 1]], "logit_bias.0.0"),
        ([[True, 1]], "logit_bias.0.0"),
        ([["", 1]], "logit_bias.0.0"),
        ([[5, 1]] * 1025, "logit_bias"),
        ({"-5": 1}, "logit_bias.-5"),
        ({"1" * 10: 1}, "logit_bias.1111111111"),
        ({"a": True}, "logit_bias.a"),
    ],
)
def test_what_is_wrong_is_named_by_its_place(bias: Any, param: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        chat(logit_bias=bias)
    assert caught.value.param == param
    assert "tuple" not in caught.value.message.lower()
