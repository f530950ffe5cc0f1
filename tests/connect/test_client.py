"""The texts with values in them, read again by parsers of their syntax."""

import json
import shlex
import tomllib
from typing import Any

import pytest
import yaml

from inference.connect.client import SettingsBlock, UnusableValue, Values
from tests.connect.values import AWKWARD, PLAIN
from tests.each import each


def filled(syntax: Any, text: str, values: Values = AWKWARD) -> str:
    return SettingsBlock(title="", syntax=syntax, text=text).filled(values)


def test_each_syntax_quotes_a_value_so_that_it_is_read_as_it_is() -> None:
    names = (AWKWARD.model, AWKWARD.key)
    assert tuple(json.loads(filled("json", "[<model>, <key>]"))) == names
    assert tuple(tomllib.loads(filled("toml", "a = [<model>, <key>]"))["a"]) == names
    assert tuple(yaml.safe_load(filled("yaml", "- <model>\n- <key>"))) == names
    assert tuple(shlex.split(filled("shell", "<model> <key>"))) == names
    (quoted,) = shlex.split(filled("shell", "'[<model:quoted>]'"))
    assert json.loads(quoted) == [AWKWARD.model]
    assert filled("text", "<model>") == AWKWARD.model


def test_a_plain_value_stays_plain() -> None:
    assert filled("yaml", "a: <base>\nb: <openai/model>", PLAIN) == (
        "a: http://127.0.0.1:8000/v1\nb: openai/SmolLM2-135M-Instruct"
    )
    for word in ("true", "null", "no", "1e3", "a:", ""):
        text = filled("yaml", "<model>", Values(origin="", model=word, context=1))
        assert yaml.safe_load(text) == word


def test_text_before_a_value_is_quoted_with_it() -> None:
    assert json.loads(filled("json", "<Bearer key>")) == f"Bearer {AWKWARD.key}"


@each("field", ["origin", "key", "model"])
def test_a_value_with_a_control_character_is_refused(field: str) -> None:
    given: dict[str, Any] = {"origin": "http://x", "key": "k", "model": "m", "context": 1, field: "a\nb"}
    with pytest.raises(UnusableValue, match=field):
        Values(**given)


@each(
    ("origin", "base"),
    [
        ("http://127.0.0.1:8000", "http://host.docker.internal:8000/v1"),
        ("http://[::1]:1", "http://host.docker.internal:1/v1"),
        ("https://localhost", "https://host.docker.internal/v1"),
        ("http://localhost.example:1", "http://localhost.example:1/v1"),
    ],
)
def test_a_container_reaches_this_machine_by_another_name(origin: str, base: str) -> None:
    assert Values(origin=origin, model="m", context=1).container == base


def test_a_client_keeps_a_quarter_of_the_context_for_an_answer() -> None:
    assert [Values(origin="", model="m", context=n).answer for n in (1, 8192, 10**6)] == [1, 2048, 32_000]
