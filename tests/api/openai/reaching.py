"""For each field that reaches the model: a body that has it, and what the model is then asked."""

import json
from typing import Any

from inference.core.requests import Message, Tool, ToolCall
from tests.api.openai.asking import HELLO
from tests.api.openai.reaching_forms import FORMS, LIMITS

FUNCTION = {"name": "now", "description": "Tells the time.", "parameters": {"type": "object", "title": "Now"}}
OFFERED: dict[str, Any] = {"tools": [{"type": "function", "function": FUNCTION}]}
NOW = Tool(name="now", description="Tells the time.", parameters=json.dumps(FUNCTION["parameters"]))
NAMED = {"type": "function", "function": {"name": "now"}}
STRICT = {"tools": [{"type": "function", "function": FUNCTION | {"strict": True}}]}
SCHEMA = {"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "null"}, "strict": True}}
CALL = {"id": "a", "type": "function", "function": {"name": "now", "arguments": '{"a": 1}'}}
CALLED: list[Any] = [
    *HELLO,
    {"role": "assistant", "content": None, "tool_calls": [CALL]},
    {"role": "tool", "tool_call_id": "a", "content": "noon"},
]


SPOKEN: list[Any] = [*HELLO, {"role": "assistant", "content": "So"}]
CONTINUING: list[tuple[dict[str, Any], bool]] = [
    ({}, True),
    ({"continue_final_message": True}, True),
    ({"continue_final_message": False}, False),
    ({"add_generation_prompt": True}, False),
    ({"add_generation_prompt": False}, True),
]


def allowed(mode: str, *tools: dict[str, Any]) -> dict[str, Any]:
    return {"type": "allowed_tools", "allowed_tools": {"mode": mode, "tools": list(tools)}}


CUSTOM = {"name": "edit", "description": "Edits."}
EDIT: dict[str, Any] = {"tools": [*OFFERED["tools"], {"type": "custom", "custom": CUSTOM}]}
NAMED_CUSTOM = {"type": "custom", "custom": {"name": "edit"}}
CUSTOM_CALL = {"id": "b", "type": "custom", "custom": {"name": "edit", "input": "x"}}
CUSTOM_CALLED: list[Any] = [*HELLO, {"role": "assistant", "content": None, "tool_calls": [CUSTOM_CALL]}]
FUNCTIONS = {"functions": [FUNCTION]}
# Fields, the path of what they reach in the request, and its value there.
Cases = list[tuple[dict[str, Any], str, Any]]

BOTH: Cases = [
    ({"speculative": False}, "speculates", False),
    ({"temperature": 0.5}, "sampling.temperature", 0.5),
    ({"top_p": 0.5}, "sampling.top_p", 0.5),
    ({"top_k": 5}, "sampling.top_k", 5),
    ({"min_p": 0.5}, "sampling.min_p", 0.5),
    ({"presence_penalty": 0.5}, "sampling.presence_penalty", 0.5),
    ({"frequency_penalty": 0.5}, "sampling.frequency_penalty", 0.5),
    ({"repetition_penalty": 0.5}, "sampling.repetition_penalty", 0.5),
    ({"logit_bias": {"7": -3}}, "sampling.logit_bias", ((7, -3.0),)),
    ({"logit_bias": [["a", -3]]}, "sampling.text_bias", (("a", -3.0),)),
    ({"logit_bias": [[7, False]]}, "rules.banned_ids", (7,)),
    ({"seed": 5}, "sampling.seed", 5),
    ({"n": 3}, "n", 3),
    ({"stop": "end"}, "stop", ("end",)),
    ({"stop": ["a", "b"]}, "stop", ("a", "b")),
    ({"user": "ann"}, "user", "ann"),
    ({"ignore_eos": True}, "ignores_end", True),
    ({"prompt_logprobs": 0}, "prompt_logprobs", 0),
    ({"return_token_ids": True}, "returns_token_ids", True),
    ({"return_tokens": True}, "returns_token_ids", True),
    ({"truncate_prompt_tokens": 9}, "prompt_limit", 9),
    ({"truncate_prompt_tokens": -1}, "prompt_limit", -1),
    ({"max_tokens": 5}, "max_tokens", 5),
    *LIMITS,
    *FORMS,
]
CHAT: Cases = [
    *BOTH,
    ({"prediction": {"type": "content", "content": "Hi"}}, "prediction", "Hi"),
    (
        {"prediction": {"type": "content", "content": [{"type": "text", "text": one} for one in "ab"]}},
        "prediction",
        "ab",
    ),
    ({"messages": [{"role": "user", "content": "Hi"}]}, "messages.0", Message(role="user", content="Hi")),
    (
        {"messages": [{"role": "user", "content": [{"type": "text", "text": t} for t in "ab"]}]},
        "messages.0.content",
        "ab",
    ),
    ({"messages": [{"role": "user", "content": "Hi", "name": "Ann"}]}, "messages.0.name", "Ann"),
    ({"messages": [{"role": "system", "content": "Hi", "name": "Ann"}, *HELLO]}, "messages.0.name", "Ann"),
    ({"messages": [{"role": "developer", "content": "Hi", "name": "Ann"}, *HELLO]}, "messages.0.name", "Ann"),
    ({"messages": [{"role": "assistant", "content": "Hi", "name": "Ann"}, *HELLO]}, "messages.0.name", "Ann"),
    (
        {"messages": [{"role": "assistant", "content": "Hi", "reasoning_content": "Hm"}, *HELLO]},
        "messages.0.reasoning",
        "Hm",
    ),
    ({"messages": CALLED}, "messages.1.tool_calls.0", ToolCall(id="a", name="now", arguments='{"a": 1}')),
    ({"messages": CALLED}, "messages.2.tool_call_id", "a"),
    *(({"messages": SPOKEN} | fields, "continues", is_asked) for fields, is_asked in CONTINUING),
    *(
        ({"messages": [*HELLO, SPOKEN[-1] | {"prefix": value}]}, "continues", value)
        for value in (True, False)
    ),
    ({"max_completion_tokens": 5}, "max_tokens", 5),
    ({"logprobs": True}, "logprobs", 0),
    ({"logprobs": True, "top_logprobs": 5}, "logprobs", 5),
    (OFFERED, "tools", (NOW,)),
    (OFFERED, "must_call", ()),
    (OFFERED | {"tool_choice": "none"}, "tools", ()),
    (OFFERED | {"tool_choice": "required"}, "must_call", ("now",)),
    (OFFERED | {"tool_choice": NAMED}, "must_call", ("now",)),
    (OFFERED | {"tool_choice": NAMED}, "follows_schemas", True),
    (OFFERED | {"parallel_tool_calls": False}, "may_call_several", False),
    (OFFERED, "follows_schemas", False),
    (STRICT, "follows_schemas", True),
    (EDIT, "tools.1.name", "edit"),
    (EDIT, "tools.1.description", "Edits."),
    (EDIT | {"tool_choice": NAMED_CUSTOM}, "must_call", ("edit",)),
    (EDIT | {"tool_choice": allowed("auto", NAMED)}, "tools", (NOW,)),
    (EDIT | {"tool_choice": allowed("auto", NAMED)}, "must_call", ()),
    (EDIT | {"tool_choice": allowed("required", NAMED, NAMED_CUSTOM)}, "must_call", ("now", "edit")),
    (
        {"messages": CUSTOM_CALLED},
        "messages.1.tool_calls.0",
        ToolCall(id="b", name="edit", arguments='{"input": "x"}'),
    ),
    (FUNCTIONS, "tools", (NOW,)),
    ({"functions": [FUNCTION | {"strict": True}]}, "follows_schemas", True),
    (FUNCTIONS, "may_call_several", False),
    (FUNCTIONS | {"function_call": "none"}, "tools", ()),
    (FUNCTIONS | {"function_call": {"name": "now"}}, "must_call", ("now",)),
    ({"response_format": SCHEMA}, "schema", '{"type": "null"}'),
    *(({"reasoning_effort": effort}, "effort", effort) for effort in ("none", "low", "max")),
    ({"think": "high"}, "effort", "high"),
    ({"reasoning": {"effort": "minimal"}}, "effort", "minimal"),
    ({"chat_template_kwargs": {"reasoning_effort": "low"}}, "effort", "low"),
    ({"enable_thinking": True}, "thinking", True),
    ({"think": False}, "thinking", False),
    ({"reasoning": {"enabled": False}}, "thinking", False),
    ({"thinking": {"type": "disabled"}}, "thinking", False),
    ({"thinking": {"type": "adaptive"}}, "thinking", None),
    *(
        ({"chat_template_kwargs": {name: False}}, "thinking", False)
        for name in ("enable_thinking", "thinking")
    ),
    ({"thinking_budget": 0}, "thinking_budget", 0),
    ({"thinking_budget": -1}, "thinking_budget", None),
    ({"thinking_token_budget": 9}, "thinking_budget", 9),
    ({"reasoning": {"max_tokens": 9}}, "thinking_budget", 9),
    ({"thinking": {"type": "enabled", "budget_tokens": 9}}, "thinking_budget", 9),
    ({"chat_template_kwargs": {"thinking_budget": 9}}, "thinking_budget", 9),
    *(
        ({"chat_template_kwargs": {name: value}}, "template_options", ((name, value),))
        for name, value in (("clear_thinking", False), ("preserve", "all"), ("depth", 2))
    ),
    (
        {"thinking": {"type": "enabled", "clear_thinking": True}},
        "template_options",
        (("clear_thinking", True),),
    ),
    ({"metadata": {"team": "blue"}}, "labels", (("team", "blue"),)),
    ({"safety_identifier": "ann"}, "user", "ann"),
    ({"prompt_cache_key": "k"}, "cache_key", "k"),
]
COMPLETION: Cases = [
    *BOTH,
    ({"prompt": "Once"}, "prompts", ("Once",)),
    ({"prompt": ["Once", [1, 2]]}, "prompts", ("Once", (1, 2))),
    ({"prompt": "Once", "suffix": "end"}, "suffix", "end"),
    ({"echo": True}, "echo", True),
    ({"echo": True, "max_tokens": 0}, "max_tokens", 0),
    ({"logprobs": 3}, "logprobs", 3),
]
EMBEDDING: Cases = [
    ({"input": ["Once", "more"]}, "inputs", ("Once", "more")),
    ({"dimensions": 3}, "dimensions", 3),
    ({"output_dimension": 3}, "dimensions", 3),
    ({"truncate": True}, "truncates", True),
    ({"truncate": "END"}, "truncates", True),
    ({"truncate": "NONE"}, "truncates", False),
    ({"truncate_prompt_tokens": 9}, "input_limit", 9),
    ({"user": "ann"}, "user", "ann"),
]
FUNCTION_TOOL = {"type": "function", **FUNCTION}
TEXT_SCHEMA = {"type": "json_schema", "name": "x", "schema": {"type": "null"}}
CUSTOM = {"type": "custom", "name": "patch"}
BOTH_KINDS = {"tools": [FUNCTION_TOOL, CUSTOM]}
ALLOWED = {"type": "allowed_tools", "mode": "required", "tools": [{"type": "function", "name": "now"}]}
RESPONSE: list[tuple[dict[str, Any], str, Any]] = [
    ({"speculative": False}, "speculates", False),
    ({"input": "Hi"}, "messages.0", Message(role="user", content="Hi")),
    ({"instructions": "Be brief."}, "messages.0", Message(role="system", content="Be brief.")),
    ({"temperature": 0.5}, "sampling.temperature", 0.5),
    ({"top_p": 0.5}, "sampling.top_p", 0.5),
    ({"presence_penalty": 0.5}, "sampling.presence_penalty", 0.5),
    ({"frequency_penalty": 0.5}, "sampling.frequency_penalty", 0.5),
    ({"max_output_tokens": 5}, "max_tokens", 5),
    ({"tools": [FUNCTION_TOOL]}, "tools", (NOW,)),
    ({"tools": [FUNCTION_TOOL | {"strict": True}]}, "follows_schemas", True),
    ({"tools": [FUNCTION_TOOL], "tool_choice": "none"}, "tools", ()),
    ({"tools": [FUNCTION_TOOL], "tool_choice": {"type": "function", "name": "now"}}, "must_call", ("now",)),
    *(
        ({"tools": [FUNCTION_TOOL], "tool_choice": word}, "must_call", ("now",))
        for word in ("required", "any", {"type": "required"}, {"type": "any"})
    ),
    ({"tools": [FUNCTION_TOOL], "tool_choice": {"type": "none"}}, "tools", ()),
    ({"tools": [FUNCTION_TOOL], "parallel_tool_calls": False}, "may_call_several", False),
    ({"text": {"format": TEXT_SCHEMA}}, "schema", '{"type": "null"}'),
    *(
        ({"text": {"format": TEXT_SCHEMA | {"strict": is_so}}}, "has_strict_schema", is_so)
        for is_so in (True, False)
    ),
    ({"top_k": 5}, "sampling.top_k", 5),
    ({"min_p": 0.5}, "sampling.min_p", 0.5),
    ({"repetition_penalty": 0.5}, "sampling.repetition_penalty", 0.5),
    ({"logit_bias": {"7": -3}}, "sampling.logit_bias", ((7, -3.0),)),
    ({"logit_bias": [["a", False]]}, "rules.banned_texts", ("a",)),
    *LIMITS,
    ({"seed": 5}, "sampling.seed", 5),
    ({"stop": ["a", "b"]}, "stop", ("a", "b")),
    ({"ignore_eos": True}, "ignores_end", True),
    ({"top_logprobs": 3}, "logprobs", 3),
    ({"top_logprobs": 0}, "logprobs", None),
    ({"include": ["message.output_text.logprobs"]}, "logprobs", 0),
    (
        BOTH_KINDS | {"tool_choice": CUSTOM},
        "must_call",
        ("patch",),
    ),
    ({"tools": [{"type": "namespace", "name": "it", "tools": [FUNCTION_TOOL]}]}, "tools.0.name", "it__now"),
    (BOTH_KINDS | {"tool_choice": ALLOWED}, "tools", (NOW,)),
    (BOTH_KINDS | {"tool_choice": ALLOWED}, "must_call", ("now",)),
    ({"reasoning": {"effort": "low"}}, "effort", "low"),
    ({"reasoning": {"effort": "max"}}, "effort", "max"),
    ({"reasoning": {"effort": "default"}}, "effort", ""),
    ({"reasoning": {"max_tokens": 50}}, "thinking_budget", 50),
    ({"reasoning": {"enabled": False}}, "thinking", False),
    ({"metadata": {"team": "blue"}}, "labels", (("team", "blue"),)),
    ({"user": "ann"}, "user", "ann"),
    ({"safety_identifier": "ann"}, "user", "ann"),
    ({"prompt_cache_key": "k"}, "cache_key", "k"),
]
