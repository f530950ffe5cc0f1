"""Answers drawn at random from what a grammar allows: whatever the draw, they follow it."""

import json
import random
from collections.abc import Sequence
from typing import Any

import pytest

from inference.core.errors import InvalidRequest, UnsupportedField
from inference.core.requests import ChatRequest, Message, Sampling, Tool
from inference.worker.model.loaded_model import LoadedModel
from inference.worker.model.tokenizer import HubTokenizer
from inference.worker.sampling.grammar import Grammar
from inference.worker.sampling.grammar_compiler import GrammarCompiler
from tests.adapters.family_models import ADD, LLAMA_TOOLS, NOW, make, real
from tests.each import each
from tests.tiny import CHATML, LLAMA_3, SPECIAL

pytestmark = pytest.mark.mlx
CITY = {
    "type": "object",
    "properties": {
        "name": {"enum": ["Rome", "Oslo"]},
        "people": {"type": "integer", "maximum": 999, "minimum": 0},
    },
    "required": ["name", "people"],
    "additionalProperties": False,
}
THINKS = (*SPECIAL, "<think>", "</think>")
OPENED = CHATML + "{% if add_generation_prompt %}<think>\n{% endif %}"
CLOSED = CHATML + "{% if add_generation_prompt %}<think>\n\n</think>\n\n{% endif %}"


def loaded(template: str = CHATML, special: Sequence[str] = SPECIAL) -> tuple[LoadedModel, HubTokenizer]:
    return around(*make(template, special))


def around(adapter: Any, tokenizer: HubTokenizer) -> tuple[LoadedModel, HubTokenizer]:
    model = LoadedModel(
        model=None,  # nothing is computed here
        tokenizer=tokenizer,
        adapter=adapter,
        own_sampling=Sampling(),
        context_length=4096,
        vocab_size=tokenizer.size + 7,  # models have more logits than their tokenizer has tokens
        device="cpu",
        seconds=0.0,
    )
    return model, tokenizer


def asking(schema: Any = None, **fields: Any) -> ChatRequest:
    text = "" if schema is None else json.dumps(schema)
    return ChatRequest(model="m", messages=(Message(role="user", content="hi"),), schema=text, **fields)


def grammar_of(model: LoadedModel, request: ChatRequest) -> Grammar:
    grammar = GrammarCompiler(model).of(request, model.adapter.render(request))
    assert grammar
    return grammar


def drawn(model: LoadedModel, grammar: Grammar, seed: int, begin: Sequence[int] = ()) -> list[int]:
    """Tokens drawn evenly from what is allowed after `begin`, up to a stop token."""
    next_draw = random.Random(seed)  # noqa: S311
    matcher, answer = grammar.start(begin), list(begin)
    while not answer or answer[-1] not in model.stop_ids:
        allowed = matcher.allowed_tokens(model.vocab_size)
        choices = range(model.vocab_size) if allowed is None else allowed.nonzero()[0].tolist()
        assert len(choices) > 0 and len(answer) < 2000
        answer.append(next_draw.choice(choices))
        matcher.consume(answer[-1])
    return answer[:-1]


def text_of(model: LoadedModel, request: ChatRequest, tokens: Sequence[int]) -> list[Any]:
    """The answer as its channel reader returns it."""
    reader = model.adapter.reader(model.adapter.render(request), request)
    return [*reader.feed(model.tokenizer.decode(tokens)), *reader.flush()]


@each("seed", range(20))
def test_any_draw_follows_the_schema(seed: int) -> None:
    model, tokenizer = loaded()
    answer = json.loads(tokenizer.decode(drawn(model, grammar_of(model, asking(CITY)), seed)))
    assert answer["name"] in ("Rome", "Oslo") and 0 <= answer["people"] <= 999
    assert list(answer) == ["name", "people"]


def test_json_is_written_as_models_write_it() -> None:
    model, tokenizer = loaded()
    text = tokenizer.decode(drawn(model, grammar_of(model, asking(CITY)), 3))
    assert text == json.dumps(json.loads(text))


def test_it_ends_with_any_of_the_models_stop_tokens_and_not_before() -> None:
    model, tokenizer = loaded(LLAMA_3)
    matcher = grammar_of(model, asking({"enum": ["Rome"]})).start()
    before = matcher.allowed_tokens(model.vocab_size)
    for token in tokenizer.encode('"Rome"'):
        matcher.consume(token)
    after = matcher.allowed_tokens(model.vocab_size)
    assert before is not None and not before[list(model.stop_ids)].any()
    assert after is not None and set(after.nonzero()[0].tolist()) == model.stop_ids


def test_an_answer_goes_on_where_it_was() -> None:
    model, tokenizer = loaded()
    grammar = grammar_of(model, asking(CITY))
    begun = tokenizer.encode('{"name": "Oslo", "peo')
    answer = json.loads(tokenizer.decode(drawn(model, grammar, 1, begun)))
    assert answer["name"] == "Oslo"


def test_each_answer_has_a_grammar_of_its_own() -> None:
    model, tokenizer = loaded()
    grammar = grammar_of(model, asking(CITY))
    first, second = grammar.start(), grammar.start()
    first.consume(tokenizer.encode("{")[0])
    allowed = second.allowed_tokens(model.vocab_size)
    assert allowed is not None and allowed.nonzero()[0].tolist() == tokenizer.encode("{")


# Reasoning.


def test_reasoning_that_the_prompt_opened_is_free_and_does_not_end_the_answer() -> None:
    model, tokenizer = loaded(OPENED, THINKS)
    matcher = grammar_of(model, asking(CITY)).start()
    for token in tokenizer.encode('Hm, {"name": 5} or not'):
        allowed = matcher.allowed_tokens(model.vocab_size)
        assert allowed is not None and allowed[token] and not allowed[list(model.stop_ids)].any()
        matcher.consume(token)


@pytest.mark.parametrize(
    ("template", "thoughts"), [(OPENED, "Hm.\n</think>\n\n"), (CHATML, "<think>Hm.</think>"), (CHATML, "")]
)
def test_the_answer_behind_the_reasoning_follows_the_schema(template: str, thoughts: str) -> None:
    model, tokenizer = loaded(template, THINKS)
    request = asking(CITY)
    tokens = drawn(model, grammar_of(model, request), 2, tokenizer.encode(thoughts))
    pieces = text_of(model, request, tokens)
    assert set(json.loads("".join(p.text for p in pieces if p.channel == "text"))) == {"name", "people"}
    assert "".join(p.text for p in pieces if p.channel == "reasoning").strip() == "Hm." * bool(thoughts)


def test_reasoning_that_is_over_is_not_opened_again() -> None:
    model, tokenizer = loaded(CLOSED, THINKS)
    allowed = grammar_of(model, asking(CITY)).start().allowed_tokens(model.vocab_size)
    assert allowed is not None and not allowed[tokenizer.id_of("<think>")]


# Calls.


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("family", [("qwen3", "qwen3"), ("mistral_nemo", "mistral")])
def test_a_required_call_is_one_of_the_tools_with_arguments_that_fit(
    family: tuple[str, str], seed: int
) -> None:
    model, _ = around(*real(*family))
    request = asking(tools=(ADD, NOW), must_call=("add",), may_call_several=False, follows_schemas=True)
    pieces = text_of(model, request, drawn(model, grammar_of(model, request), seed))
    names = [piece.name for piece in pieces if piece.name]
    arguments = "".join(piece.text for piece in pieces if piece.channel == "tool")
    assert (names, list(json.loads(arguments))) == (["add"], ["a"])
    assert not any(piece.text.strip() for piece in pieces if piece.channel == "text")


def test_strict_tools_bind_the_arguments_once_a_call_has_begun() -> None:
    model, tokenizer = loaded()
    request = asking(tools=(ADD,), follows_schemas=True)
    grammar = grammar_of(model, request)
    matcher = grammar.start(tokenizer.encode("Let me see. <tool_"))
    assert matcher.allowed_tokens(model.vocab_size) is None
    tokens = drawn(model, grammar, 4, tokenizer.encode("Let me see. <tool_call>"))
    pieces = text_of(model, request, tokens)
    called = "".join(piece.text for piece in pieces if piece.channel == "tool" and piece.call == 0)
    assert list(json.loads(called)) == ["a"]


@pytest.mark.parametrize("before", ["", "\n", " "])
def test_strict_tools_bind_a_call_without_a_marker_once_it_names_a_tool(before: str) -> None:
    model, tokenizer = around(*real("llama3_2", "llama", LLAMA_TOOLS))
    request = asking(tools=(ADD,), follows_schemas=True)
    grammar = grammar_of(model, request)
    free = grammar.start(tokenizer.encode(before + '{"na'))
    assert free.allowed_tokens(model.vocab_size) is None
    begun = tokenizer.encode(before + '{"name": "add", "parameters": {')
    for seed in range(5):
        text = tokenizer.decode(drawn(model, grammar, seed, begun))
        call = json.loads(text)
        assert call["name"] == "add" and set(call["parameters"]) == {"a"}, text
    assert GrammarCompiler(model).best_effort(request) == ("tools",)


@pytest.mark.parametrize(
    "text", ["Hello", '{"city": "Rome"}', "[1, 2]", 'The tool "add" adds.', '{"name": "ad']
)
def test_text_that_is_no_call_stays_free(text: str) -> None:
    model, tokenizer = around(*real("llama3_2", "llama", LLAMA_TOOLS))
    grammar = grammar_of(model, asking(tools=(ADD,), follows_schemas=True))
    matcher = grammar.start(tokenizer.encode(text))
    assert matcher.allowed_tokens(model.vocab_size) is None


@each("seed", range(10))
def test_with_tools_and_a_schema_the_answer_is_either(seed: int) -> None:
    model, _ = loaded()
    request = asking(CITY, tools=(NOW,), may_call_several=False)
    pieces = text_of(model, request, drawn(model, grammar_of(model, request), seed))
    text = "".join(piece.text for piece in pieces if piece.channel == "text").strip()
    calls = [piece.name for piece in pieces if piece.name]
    assert calls == ["now"] if not text else set(json.loads(text)) == {"name", "people"}


# What is refused.


@each(
    ("schema", "message"),
    [
        ({"not": {"type": "string"}}, "'not' cannot be enforced"),
        ({"type": "array", "uniqueItems": True}, "'uniqueItems'"),
        ({"properties": {"a": {"if": {}, "then": {}}}}, "'if', 'then'"),
        ({"x-guidance": {"lenient": True}, "not": {"type": "null"}}, "'not'"),
        ({"properties": {"a": {"x-guidance": {"lenient": True}, "uniqueItems": True}}}, "'uniqueItems'"),
        ({"type": "string", "pattern": "(?=a)b"}, "cannot be enforced"),
        ({"$ref": "http://127.0.0.1:1/schema"}, "cannot be enforced"),
        ({"enum": []}, "Unsatisfiable"),
        ({"type": "objekt"}, "Invalid type"),
        ({"properties": {f"p{i}": {"type": "string"} for i in range(2000)}}, "too complex"),
        ({"enum": ["x" * 130_000]}, "bytes"),
    ],
)
def test_what_cannot_be_enforced_is_refused_by_name(schema: Any, message: str) -> None:
    model, _ = loaded()
    with pytest.raises(InvalidRequest, match=message) as refusal:
        grammar_of(model, asking(schema, has_strict_schema=True))
    assert refusal.value.param == "response_format.json_schema.schema"


def test_the_tool_whose_schema_is_wrong_is_named() -> None:
    model, _ = loaded()
    odd = Tool(name="odd", parameters='{"type":"object","uniqueItems":true}', is_strict=True)
    with pytest.raises(InvalidRequest, match="'uniqueItems'") as refusal:
        grammar_of(model, asking(tools=(ADD, odd), must_call=("add", "odd")))
    assert refusal.value.param == "tools.1.function.parameters"


def test_a_tool_that_need_not_be_called_may_have_any_schema() -> None:
    model, _ = loaded()
    odd = Tool(name="odd", parameters='{"type":"object","uniqueItems":true}', is_strict=True)
    grammar_of(model, asking(tools=(ADD, odd), must_call=("add",)))  # it is not refused
    assert GrammarCompiler(model).of(asking(tools=(odd,)), ()) is None


def test_a_model_whose_answers_have_no_end_follows_no_schema() -> None:
    model, _ = around(*make("{% for m in messages %}{{ m['content'] }}{% endfor %}", ("<a>", "<b>")))
    with pytest.raises(UnsupportedField) as refusal:
        grammar_of(model, asking(CITY))
    assert refusal.value.param == "response_format"


def test_free_text_has_no_grammar() -> None:
    model, _ = loaded()
    assert GrammarCompiler(model).of(asking(), ()) is None
    assert GrammarCompiler(model).of(asking(tools=(ADD,)), ()) is None


def test_an_answer_that_can_follow_no_further_may_only_end() -> None:
    """A token that is not allowed is never drawn; should it come all the same, nothing is made up."""
    model, tokenizer = loaded()
    matcher = grammar_of(model, asking(CITY)).start(tokenizer.encode("no"))
    allowed = matcher.allowed_tokens(model.vocab_size)
    assert allowed is not None and set(allowed.nonzero()[0].tolist()) == model.stop_ids
    assert matcher.failure and matcher.failure.param == "response_format.json_schema.schema"


def test_an_answer_that_is_stuck_takes_whatever_comes() -> None:
    model, tokenizer = loaded()
    matcher = grammar_of(model, asking(tools=(ADD,), must_call=("add",))).start(tokenizer.encode("no"))
    for _ in range(3):
        matcher.allowed_tokens(model.vocab_size)
        matcher.consume(5)
    assert matcher.failure and matcher.failure.param == "tools.0.function.parameters"
