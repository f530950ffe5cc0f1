"""Required calls of every family, drawn at random from what its grammar allows: each is read as one."""

import json

import pytest

from inference.adapters import Adapter
from inference.core.requests import ChatRequest, Tool
from inference.worker.model.loaded_model import LoadedModel
from inference.worker.model.tokenizer import HubTokenizer
from tests.adapters.families import (
    test_command_r,
    test_deepseek,
    test_deepseek_dsml,
    test_gemma,
    test_glm,
    test_granite,
    test_kimi,
    test_llama4,
    test_minimax,
    test_mistral,
    test_phi,
    test_qwen,
)
from tests.each import each
from tests.nightly import of_each_kind
from tests.worker.sampling.test_grammar import around, asking, drawn, grammar_of, text_of

pytestmark = pytest.mark.mlx
SEEDS = of_each_kind(range(4), range(1))
PLACE = Tool(
    name="find-place",
    parameters=json.dumps(
        {
            "type": "object",
            "properties": {
                "city": {"enum": ["Rome", "Oslo"]},
                "days": {"type": "integer", "minimum": 1, "maximum": 5},
                "near": {"type": "array", "items": {"enum": ["sea", "wood"]}, "minItems": 1},
                "at": {
                    "type": "object",
                    "properties": {"dry": {"type": "boolean"}},
                    "required": ["dry"],
                    "additionalProperties": False,
                },
            },
            "required": ["at", "city", "days", "near"],
            "additionalProperties": False,
        }
    ),
)
NOW = Tool(name="now", parameters='{"type":"object","properties":{},"additionalProperties":false}')
_MODULES = (
    *(test_command_r, test_deepseek, test_deepseek_dsml, test_gemma, test_glm, test_granite, test_kimi),
    *(test_llama4, test_minimax, test_mistral, test_phi, test_qwen),
)
FAMILIES: dict[str, tuple[Adapter, HubTokenizer]] = {
    f"{module.__name__.rpartition('test_')[2]} {name}": found
    for module in _MODULES
    for name, found in module.FAMILIES.items()
}


def bare(adapter: Adapter) -> bool:
    return adapter.call_format is None or adapter.call_format.is_bare


def thought(model: LoadedModel, request: ChatRequest) -> list[int]:
    """What ends the reasoning that the prompt has opened, where it has."""
    reasoning = model.adapter.reasoning_state(model.adapter.render(request))
    return model.tokenizer.encode(reasoning.closing) if reasoning and reasoning.is_open else []


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", FAMILIES)
def test_any_draw_is_a_call_that_is_read_with_arguments_that_fit(name: str, seed: int) -> None:
    model, _ = around(*FAMILIES[name])
    request = asking(tools=(PLACE, NOW), must_call=("find-place",), may_call_several=False)
    pieces = text_of(model, request, drawn(model, grammar_of(model, request), seed, thought(model, request)))
    assert [piece.name for piece in pieces if piece.name] == ["find-place"]
    arguments = json.loads("".join(piece.text for piece in pieces if piece.channel == "tool"))
    assert set(arguments) == {"at", "city", "days", "near"}
    assert arguments["city"] in ("Rome", "Oslo") and 1 <= arguments["days"] <= 5 and "dry" in arguments["at"]
    assert arguments["near"] and set(arguments["near"]) <= {"sea", "wood"}


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", FAMILIES)
def test_several_calls_are_all_read(name: str, seed: int) -> None:
    model, _ = around(*FAMILIES[name])
    request = asking(tools=(NOW,), must_call=("now",))
    tokens = drawn(model, grammar_of(model, request), seed, thought(model, request))
    pieces = text_of(model, request, tokens)
    calls = [piece.name for piece in pieces if piece.name]
    assert set(calls) == {"now"} and len(calls) == model.tokenizer.decode(tokens).count("now")


@each("name", [name for name, (found, _) in FAMILIES.items() if not bare(found)])
def test_a_strict_call_is_held_to_its_schema_once_its_mark_is_generated(name: str) -> None:
    model, tokenizer = around(*FAMILIES[name])
    assert model.adapter.call_format
    request = asking(tools=(PLACE,), follows_schemas=True, may_call_several=False)
    begun = tokenizer.encode(f"Let me see. {model.adapter.call_format.begin}")
    begun = thought(model, request) + begun
    pieces = text_of(model, request, drawn(model, grammar_of(model, request), 1, begun))
    arguments = json.loads("".join(piece.text for piece in pieces if piece.channel == "tool"))
    assert set(arguments) == {"at", "city", "days", "near"}
    assert "".join(piece.text for piece in pieces if piece.channel == "text") == "Let me see."


@pytest.mark.parametrize("name", [name for name in FAMILIES if name.startswith(("kimi", "deepseek r1"))])
def test_a_strict_call_within_thoughts_is_held_to_its_schema_where_they_are_heard(name: str) -> None:
    model, tokenizer = around(*FAMILIES[name])
    assert model.adapter.call_format
    request = asking(tools=(PLACE,), follows_schemas=True, may_call_several=False)
    begun = tokenizer.encode(f"Let me see. {model.adapter.call_format.begin}")
    pieces = text_of(model, request, drawn(model, grammar_of(model, request), 1, begun))
    arguments = json.loads("".join(piece.text for piece in pieces if piece.channel == "tool"))
    assert set(arguments) == {"at", "city", "days", "near"}
