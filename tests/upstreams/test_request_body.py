from typing import Any

import pytest
from msgspec import structs

from inference.core.errors import UnsupportedField
from inference.core.requests import (
    PICTURE,
    AnswerGrammar,
    ChatRequest,
    CompletionRequest,
    GenerationRequest,
    Message,
    Picture,
    Sampling,
    TokenRules,
    Tool,
    ToolCall,
)
from inference.core.upstream import ENGINES, Address, Engine
from inference.upstreams.request_body import best_effort, body_of, encoded, noted, without_reasoning
from tests.each import each

PLAIN = ChatRequest(model="ours", messages=(Message(role="user", content="Hi"),))
RAW = CompletionRequest(model="ours", prompts=("Once",), max_tokens=3)


def body(request: GenerationRequest, engine: Engine = "openai", owner: str = "") -> dict[str, Any]:
    address = Address(upstream="a", base_url="http://a/v1", model="theirs", engine=engine)
    return body_of(request, address, owner, limit=request.max_tokens or 0)


def chat(**fields: Any) -> ChatRequest:
    return structs.replace(PLAIN, **fields)


def drawn(**fields: Any) -> ChatRequest:
    return chat(sampling=Sampling(**fields))


@each("engine", ENGINES)
def test_a_plain_chat_is_the_same_for_every_engine(engine: Engine) -> None:
    sent = body(chat(stop=("END",), max_tokens=7, sampling=Sampling(temperature=0.5, top_p=0.9)), engine)
    assert sent == {
        "model": "theirs",
        "stream": True,
        "stream_options": {"include_usage": True},
        "messages": [{"role": "user", "content": "Hi"}],
        "temperature": 0.5,
        "top_p": 0.9,
        "stop": ["END"],
        "max_tokens": 7,
    }


@each(
    ("request_", "engine", "name", "value"),
    [
        (drawn(top_k=5), "vllm", "top_k", 5),
        (drawn(repetition_penalty=1.1), "llama.cpp", "repeat_penalty", 1.1),
        (drawn(repetition_window=64), "mlx-lm", "repetition_context_size", 64),
        (drawn(logit_bias=((7, -100.0),)), "openai", "logit_bias", {"7": -100.0}),
        (drawn(dry_multiplier=0.8), "llama.cpp", "dry_penalty_last_n", -1),
        (chat(rules=TokenRules(stop_ids=(2,))), "sglang", "stop_token_ids", [2]),
        (chat(n=2), "openai", "n", 2),
        (chat(logprobs=3), "openai", "top_logprobs", 3),
        (chat(effort="low"), "ollama", "reasoning_effort", "low"),
        (chat(thinking=False), "vllm", "chat_template_kwargs", {"enable_thinking": False}),
        (chat(thinking_budget=9), "mlxsite", "thinking_budget", 9),
        (chat(continues=True), "vllm", "add_generation_prompt", False),
        (
            chat(grammar=AnswerGrammar(kind="choice", text='["a"]')),
            "vllm",
            "structured_outputs",
            {"choice": ["a"]},
        ),
        (
            chat(schema='{"type":"object"}'),
            "ollama",
            "response_format",
            {
                "type": "json_schema",
                "json_schema": {"name": "answer", "schema": {"type": "object"}, "strict": True},
            },
        ),
        (structs.replace(RAW, suffix="end"), "ollama", "suffix", "end"),
        (structs.replace(RAW, prompts=("a", (1, 2))), "vllm", "prompt", ["a", [1, 2]]),
        (RAW, "lm-studio", "prompt", "Once"),
    ],
)
def test_what_an_engine_follows_is_passed_under_its_name(
    request_: GenerationRequest, engine: Engine, name: str, value: Any
) -> None:
    assert body(request_, engine)[name] == value


@each(
    ("request_", "engine", "param"),
    [
        (drawn(top_k=5), "openai", "top_k"),
        (drawn(seed=5), "ollama", ""),
        (drawn(xtc_probability=0.5), "vllm", "xtc_probability"),
        (drawn(text_bias=(("a", 1.0),)), "mlxsite", "logit_bias"),
        (chat(rules=TokenRules(min_tokens=2)), "openai", "min_tokens"),
        (chat(rules=TokenRules(banned_ids=(1,))), "mlxsite", "logit_bias"),
        (chat(n=2), "mlx-lm", "n"),
        (chat(logprobs=1), "lm-studio", "logprobs"),
        (chat(prompt_logprobs=1), "vllm", "prompt_logprobs"),
        (chat(returns_token_ids=True), "vllm", "return_token_ids"),
        (chat(prompt_limit=5), "vllm", "truncate_prompt_tokens"),
        (chat(schema="{}"), "mlx-lm", "response_format"),
        (chat(grammar=AnswerGrammar(kind="regex", text="a")), "openai", "response_format"),
        (chat(thinking=True), "openai", "enable_thinking"),
        (chat(thinking_budget=5), "vllm", "thinking_budget"),
        (chat(continues=True), "openai", "continue_final_message"),
        (structs.replace(RAW, echo=True), "vllm", "echo"),
        (structs.replace(RAW, logprobs=1), "vllm", "logprobs"),
        (structs.replace(RAW, prompts=((1, 2),)), "ollama", "prompt"),
        (structs.replace(RAW, prompts=("a", "b")), "mlx-lm", "prompt"),
        (structs.replace(RAW, suffix="x"), "vllm", "suffix"),
    ],
)
def test_what_an_engine_does_not_follow_is_refused_by_name(
    request_: GenerationRequest, engine: Engine, param: str
) -> None:
    if not param:
        assert body(request_, engine)
        return
    with pytest.raises(UnsupportedField, match=f"{param} is not supported here") as refused:
        body(request_, engine)
    assert refused.value.param == param


def test_values_that_change_nothing_are_left_out() -> None:
    assert body(drawn(top_k=0, min_p=0.0, repetition_penalty=1.0)) == body(PLAIN)


def test_messages_keep_calls_and_results_and_reasoning_where_it_is_taken() -> None:
    turns = (
        Message(role="user", content="Hi", name="ann"),
        Message(
            role="assistant",
            content="",
            reasoning="Hm.",
            tool_calls=(ToolCall(id="call_1", name="look", arguments="{}"),),
        ),
        Message(role="tool", content="5", name="look", tool_call_id="call_1"),
    )
    user, assistant, tool = body(chat(messages=turns), "vllm")["messages"]
    assert user == {"role": "user", "content": "Hi", "name": "ann"}
    assert assistant["reasoning_content"] == "Hm."
    assert assistant["tool_calls"][0]["function"] == {"name": "look", "arguments": "{}"}
    assert tool == {"role": "tool", "content": "5", "tool_call_id": "call_1"}
    assert "reasoning_content" not in body(chat(messages=turns), "openai")["messages"][1]


def test_pictures_stand_between_the_texts_that_they_stood_between() -> None:
    picture = Picture(data=b"\x89PNG", media_type="image/png", width=1, height=1, detail="low")
    turn = Message(role="user", content=f"What is{PICTURE}this?{PICTURE}", pictures=(picture, picture))
    (sent,) = body(chat(messages=(turn,)))["messages"]
    url = {"url": "data:image/png;base64,iVBORw==", "detail": "low"}
    assert sent["content"] == [
        {"type": "text", "text": "What is"},
        {"type": "image_url", "image_url": url},
        {"type": "text", "text": "this?"},
        {"type": "image_url", "image_url": url},
    ]


TOOLS = (Tool(name="look"), Tool(name="find", parameters='{"type":"object"}'))


def test_tools_and_the_choice_among_them() -> None:
    sent = body(chat(tools=TOOLS, may_call_several=False, follows_schemas=True))
    assert [one["function"]["name"] for one in sent["tools"]] == ["look", "find"]
    assert sent["tools"][1]["function"] | {"description": ""} == {
        "name": "find",
        "description": "",
        "parameters": {"type": "object"},
        "strict": True,
    }
    assert sent["parallel_tool_calls"] is False and "tool_choice" not in sent
    assert body(chat(tools=TOOLS, must_call=("look", "find")))["tool_choice"] == "required"
    named = body(chat(tools=TOOLS, must_call=("look",)))["tool_choice"]
    assert named == {"type": "function", "function": {"name": "look"}}
    for engine in ("ollama", "mlx-lm"):
        with pytest.raises(UnsupportedField, match="tool_choice"):
            body(chat(tools=TOOLS, must_call=("look", "find")), engine)
    with pytest.raises(UnsupportedField, match="tool_choice"):
        body(chat(tools=TOOLS, must_call=("look",)), "llama.cpp")
    with pytest.raises(UnsupportedField, match="tools"):
        body(chat(tools=(Tool(name="a", input_syntax="regex", input_definition="x"),)), "vllm")


def test_prefixes_of_users_are_kept_apart_where_the_engine_can_without_telling_who_they_are() -> None:
    assert body(PLAIN, "mlxsite", owner="ann")["user"] != body(PLAIN, "mlxsite", owner="ben")["user"]
    assert "ann" not in str(body(PLAIN, "vllm", owner="ann"))
    assert "cache_salt" in body(PLAIN, "vllm", owner="ann")
    assert body(PLAIN, "openai", owner="ann") == body(PLAIN, "openai")


def test_a_body_is_ascii_whatever_its_texts() -> None:
    address = Address(upstream="a", base_url="http://a/v1", model="m")
    odd = chat(messages=(Message(role="user", content="\ud800ü"),))
    assert encoded(odd, address, "", 1).isascii()


def test_a_model_that_does_not_reason_notes_the_fields_about_it_and_is_not_sent_them() -> None:
    asked = chat(thinking=False, effort="low", thinking_budget=5)
    assert list(noted(asked, False)) == ["enable_thinking", "reasoning_effort", "thinking_budget"]
    assert list(noted(asked, True)) == []
    assert without_reasoning(asked) == PLAIN
    assert without_reasoning(RAW) == RAW


def test_fields_about_speed_are_noted_and_strict_tools_are_best_effort() -> None:
    assert list(noted(chat(speculates=False, prediction="x"), True)) == ["speculative", "prediction"]
    assert list(noted(PLAIN, False)) == list(best_effort(PLAIN)) == []
    assert list(best_effort(chat(tools=TOOLS, follows_schemas=True))) == ["tools"]
