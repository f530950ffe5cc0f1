"""Answers drawn at random from forms that are no JSON schema: whatever the draw, they have the form."""

import json
import re
from typing import Any

import pytest

from inference.core.errors import InvalidValue
from inference.core.requests import AnswerGrammar, CompletionRequest
from inference.worker.sampling.grammar_compiler import GrammarCompiler
from tests.worker.sampling.test_grammar import OPENED, THINKS, asking, loaded
from tests.worker.sampling.test_grammar import drawn as draw

pytestmark = pytest.mark.mlx
TAG = [{"trigger": "<f", "begin": "<f>", "schema": {"enum": [1, 2]}, "end": "</f>"}]


def drawn(loaded_model: Any, request: Any, seed: int, begin: str = "") -> str:
    """The text of an answer drawn from what is allowed after `begin`."""
    model, tokenizer = loaded_model
    prompt = [] if isinstance(request, CompletionRequest) else model.adapter.render(request)
    grammar = GrammarCompiler(model).of(request, prompt)
    assert grammar
    return str(tokenizer.decode(draw(model, grammar, seed, tokenizer.encode(begin))))


def form(kind: Any, text: str) -> AnswerGrammar:
    return AnswerGrammar(kind=kind, text=text)


FORMS = [
    (form("choice", json.dumps(["yes", 'no, "never"', "a/b\n"])), 'yes|no, "never"|a/b\n'),
    (form("regex", "[a-c]{2,4}/[0-9]+"), "[a-c]{2,4}/[0-9]+"),
    (form("regex", "^(ab|c)$"), "ab|c"),
    (form("regex", r"a\$"), r"a\$"),
    (form("grammar", 'start: "a" b+\nb: "x" | "y"'), "a[xy]+"),
    (form("grammar", "%llguidance {}\nstart: /[0-9]{3}/"), "[0-9]{3}"),
    (form("grammar", 'root ::= "move " [a-h] [1-8]\n'), "move [a-h][1-8]"),
    (form("grammar", 'root ::= item ("," item)*\nitem ::= "p" | "q"\n'), "[pq](,[pq])*"),
]


@pytest.mark.parametrize(("grammar", "expected"), FORMS)
@pytest.mark.parametrize("seed", range(3))
def test_an_answer_has_its_form(grammar: AnswerGrammar, expected: str, seed: int) -> None:
    text = drawn(loaded(), asking(grammar=grammar), seed)
    assert re.fullmatch(expected, text), text


@pytest.mark.parametrize("seed", range(3))
def test_a_raw_completion_has_its_form_too(seed: int) -> None:
    model = loaded(OPENED, THINKS)
    request = CompletionRequest(model="m", prompts=("x",), grammar=form("choice", '["left", "right"]'))
    assert drawn(model, request, seed) in ("left", "right")
    schema = CompletionRequest(model="m", prompts=("x",), schema='{"enum": ["a", 7]}')
    assert json.loads(drawn(model, schema, seed)) in ("a", 7)


@pytest.mark.parametrize("seed", range(3))
def test_the_form_begins_after_the_reasoning(seed: int) -> None:
    grammar = form("choice", '["left", "right"]')
    text = drawn(loaded(OPENED, THINKS), asking(grammar=grammar), seed, "Hm.</think>")
    assert text.rpartition("</think>")[2].strip() in ("left", "right")


@pytest.mark.parametrize("seed", range(6))
def test_a_trigger_is_followed_by_its_part(seed: int) -> None:
    grammar = form("structural_tag", json.dumps(TAG))
    text = drawn(loaded(), asking(grammar=grammar), seed, "Hi <f")
    assert re.match(r"Hi <f>[12]</f>", text), text


@pytest.mark.parametrize(
    "grammar",
    [
        form("regex", "[a-"),
        form("grammar", "start: missing"),
        form("grammar", "root ::= missing"),
        form("grammar", "no grammar at all"),
    ],
)
def test_what_is_no_form_is_refused(grammar: AnswerGrammar) -> None:
    model, _ = loaded()
    with pytest.raises(InvalidValue) as caught:
        GrammarCompiler(model).of(asking(grammar=grammar), [])
    assert caught.value.param == "response_format"
