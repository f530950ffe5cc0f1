"""For each endpoint a body that has every field of its schema, so that each can be broken in turn."""

from collections.abc import Mapping
from typing import Any

from inference.api.openai.schemas import (
    ChatCompletionBody,
    CompletionBody,
    ControlBody,
    DetokenizeBody,
    EmbeddingBody,
    RerankBody,
    ResponseBody,
    Strict,
)
from inference.api.openai.schemas.conversations import ConversationBody, ConversationUpdate, ItemsBody
from inference.api.vllm.schemas import DetokenizeTokensBody, TokenizeChatBody, TokenizeTextBody
from tests.pictures import data_url, png

_CALL = {"id": "a", "type": "function", "function": {"name": "now", "arguments": "{}"}}
_OTHERS: dict[str, Any] = {
    "timings": True,
    "return_progress": True,
    "speculative": False,
    "repetition_window": 64,
    "xtc_probability": 0.5,
    "xtc_threshold": 0.1,
    "dry_multiplier": 0.8,
    "dry_base": 1.75,
    "dry_allowed_length": 2,
    "dry_penalty_last_n": -1,
    "dry_sequence_breakers": ["\n"],
    "min_tokens": 1,
    "stop_token_ids": [1],
    "allowed_token_ids": [1, 2],
    "bad_words": ["no"],
}
_SHARED: dict[str, Any] = _OTHERS | {
    "model": "tiny",
    "temperature": 1,
    "top_p": 1,
    "top_k": 1,
    "min_p": 0,
    "presence_penalty": 0,
    "frequency_penalty": 0,
    "repetition_penalty": 1,
    "logit_bias": {"5": 1},
    "seed": 1,
    "n": 1,
    "stop": ["a"],
    "stream": True,
    "stream_options": {"include_usage": True, "continuous_usage_stats": True},
    "user": "ann",
    "ignore_eos": False,
    "max_tokens": 1,
    "return_token_ids": True,
    "return_tokens": True,
    "truncate_prompt_tokens": 100,
}
_FUNCTION = {"name": "now", "description": "Tells it.", "parameters": {"type": "object"}, "strict": True}
_SCHEMA = {"name": "x", "schema": {"type": "object"}, "strict": True}
_ITEM = {"id": "x_1", "status": "completed"}
_IMAGE = {"type": "image_url", "image_url": {"url": data_url(png()), "detail": "low"}}
_CUSTOM_CALL = {"id": "b", "type": "custom", "custom": {"name": "edit", "input": "x"}}
_GRAMMAR = {"type": "grammar", "grammar": {"syntax": "lark", "definition": 'start: "a"'}}
_CUSTOM = {"name": "edit", "description": "Edits.", "format": _GRAMMAR}
CHAT = _SHARED | {
    "messages": [
        {"role": "user", "content": [{"type": "text", "text": "Hi"}, _IMAGE], "name": "ann"},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [_CALL, _CUSTOM_CALL],
            "reasoning_content": "Hm.",
        },
        {"role": "tool", "content": "noon", "tool_call_id": "a"},
    ],
    "logprobs": True,
    "top_logprobs": 1,
    "max_completion_tokens": 1,
    "tools": [{"type": "function", "function": _FUNCTION}, {"type": "custom", "custom": _CUSTOM}],
    "tool_choice": {"type": "function", "function": {"name": "now"}},
    "parallel_tool_calls": True,
    "response_format": {"type": "json_schema", "json_schema": _SCHEMA},
    "reasoning_effort": "low",
    "enable_thinking": True,
    "think": True,
    "reasoning": {"effort": "low", "max_tokens": 5, "enabled": True, "exclude": False},
    "thinking": {"type": "enabled", "budget_tokens": 5, "clear_thinking": True},
    "thinking_budget": 5,
    "include_reasoning": True,
    "continue_final_message": False,
    "add_generation_prompt": True,
    "chat_template_kwargs": {"enable_thinking": True, "thinking": True, "clear_thinking": True},
    "metadata": {"team": "blue"},
    "prediction": {"type": "content", "content": [{"type": "text", "text": "Hi"}]},
    "safety_identifier": "ann",
    "prompt_cache_key": "k",
}
COMPLETION = _SHARED | {"prompt": ["Once", [1, 2]], "echo": True, "logprobs": 1}
INFILL = _SHARED | {"prompt": "Once", "suffix": "end", "logprobs": 1, "truncate_prompt_tokens": None}


def _tools(function: str, custom: str, namespace: str) -> list[dict[str, Any]]:
    """A tool of every kind under these names."""
    form = {"type": "grammar", "syntax": "lark", "definition": 'start: "a"'}
    tools: list[dict[str, Any]] = [
        {"type": "function", **_FUNCTION, "name": function},
        {"type": "custom", "name": custom, "description": "Edits.", "format": form},
        {"type": "web_search"},
    ]
    return [*tools, {"type": "namespace", "name": namespace, "description": "Its.", "tools": tools}]


_ASKED = {"type": "input_text", "text": "Hi"}
_INPUT_IMAGE = {"type": "input_image", "image_url": data_url(png()), "detail": "high"}
_SAID = {"type": "output_text", "text": "Hi", "annotations": [], "logprobs": []}
_REFUSED = {"type": "refusal", "refusal": "No."}
RESPONSE: dict[str, Any] = {
    **{name: value for name, value in _OTHERS.items() if name not in ("timings", "return_progress")},
    "model": "tiny",
    "input": [
        {"type": "message", "role": "user", "content": [_ASKED, _INPUT_IMAGE], **_ITEM},
        {"type": "message", "role": "assistant", "content": [_SAID, _REFUSED], **_ITEM},
        {"type": "message", "role": "assistant", "content": "Hm.", "phase": "commentary", **_ITEM},
        {
            "type": "reasoning",
            "content": [{"type": "reasoning_text", "text": "Hm."}],
            "summary": [{"type": "summary_text", "text": "In short."}],
            "encrypted_content": "x",
            **_ITEM,
        },
        {
            "type": "function_call",
            "call_id": "a",
            "name": "now",
            "namespace": "x",
            "arguments": "{}",
            **_ITEM,
        },
        {"type": "custom_tool_call", "call_id": "b", "name": "p", "namespace": "x", "input": "", **_ITEM},
        {"type": "custom_tool_call_output", "call_id": "b", "output": "Done.", **_ITEM},
        {"type": "compaction", "encrypted_content": "x", "id": "cmp_1"},
        {"type": "item_reference", "id": "x_1"},
        {"type": "additional_tools", "tools": _tools("then", "q", "y"), "id": "x_2"},
        {"type": "web_search_call", "id": "x_3"},
        {
            "type": "function_call_output",
            "call_id": "a",
            "output": [_SAID | {"type": "input_text"}, _INPUT_IMAGE],
            **_ITEM,
        },
    ],
    "instructions": "Be brief.",
    "previous_response_id": "resp_1",
    "include": ["reasoning.encrypted_content"],
    "tools": _tools("now", "p", "x"),
    "tool_choice": {"type": "function", "name": "now", "namespace": "x"},
    "parallel_tool_calls": True,
    "text": {"format": {"type": "json_schema", **_SCHEMA}},
    "reasoning": {"effort": "low", "max_tokens": 1, "enabled": True, "summary": "auto"},
    "max_output_tokens": 1,
    "top_k": 1,
    "min_p": 0,
    "repetition_penalty": 1,
    "logit_bias": {"5": 1},
    "seed": 1,
    "stop": ["a"],
    "ignore_eos": False,
    "top_logprobs": 1,
    "background": False,
    "temperature": 1,
    "top_p": 1,
    "presence_penalty": 0,
    "frequency_penalty": 0,
    "metadata": {"team": "blue"},
    "store": True,
    "stream": True,
    "stream_options": {"include_obfuscation": False},
    "truncation": "disabled",
    "user": "ann",
    "safety_identifier": "ann",
    "prompt_cache_key": "k",
}
_STRUCTURE = {"begin": "<a>", "schema": {"type": "object"}, "end": "</a>"}
_TAG: dict[str, Any] = {"type": "structural_tag", "structures": [_STRUCTURE], "triggers": ["<"]}
_FORMS: list[dict[str, Any]] = [
    *({"response_format": {"type": "json_schema", "schema": {}}}, {"response_format": _TAG}),
    *({"response_format": {"type": "regex", "pattern": "a"}},),
    *({"response_format": {"type": "grammar", "grammar": "a"}},),
    *({"structured_outputs": {"json": {}}}, {"structured_outputs": {"json_object": True}}),
    *({"structured_outputs": {"choice": ["a"]}}, {"structured_outputs": {"regex": "a"}}),
    *({"structured_outputs": {"grammar": "a"}}, {"structured_outputs": {"structural_tag": _TAG}}),
    *({"guided_json": {}}, {"guided_choice": ["a"]}, {"guided_regex": "a"}, {"guided_grammar": "a"}),
    *({"json_schema": {}}, {"grammar": "a"}),
]
_HELLO = [{"role": "user", "content": "Hi"}]
_PREFIX = {"messages": [*_HELLO, {"role": "assistant", "content": "So", "prefix": True}]}
_OLDER: dict[str, Any] = {
    "model": "tiny",
    "messages": [
        *_HELLO,
        {"role": "assistant", "content": None, "function_call": {"name": "now", "arguments": "{}"}},
        {"role": "function", "name": "now", "content": "noon"},
    ],
    "functions": [_FUNCTION],
    "function_call": {"name": "now"},
}
_NAMED = [{"type": "function", "function": {"name": "now"}}, {"type": "custom", "custom": {"name": "edit"}}]
_CHOICES = [
    _NAMED[1],
    {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": _NAMED}},
]
ALLOWED = {
    "type": "allowed_tools",
    "mode": "auto",
    "tools": [{"type": "function", "name": "now", "namespace": "x"}],
}
EMBEDDING = {
    "model": "vectors",
    "input": ["Once", [1]],
    "encoding_format": "float",
    "dimensions": 1,
    "truncate": True,
    "user": "ann",
}
RERANK = {
    "model": "reranker",
    "query": "Why?",
    "documents": [{"text": "so"}, "it is"],
    "top_n": 1,
    "return_documents": True,
    "max_tokens_per_doc": 5,
    "user": "ann",
}
_TEXT = {"model": "tiny", "prompt": "Hi", "add_special_tokens": False, "return_token_strs": True}
_TOKENIZED_CHAT = {
    "model": "tiny",
    "messages": CHAT["messages"],
    "add_generation_prompt": False,
    "continue_final_message": True,
    "return_token_strs": True,
    "tools": CHAT["tools"],
    "chat_template_kwargs": CHAT["chat_template_kwargs"],
}
_IN_CONVERSATION = {
    "model": "tiny",
    "input": "Hi",
    "context_management": [{"type": "compaction", "compact_threshold": 1000}],
}
BODIES: Mapping[str, tuple[type[Strict], dict[str, Any]]] = {
    "chat": (ChatCompletionBody, CHAT),
    "completion": (CompletionBody, COMPLETION),
    "infill": (CompletionBody, INFILL),
    "response": (ResponseBody, RESPONSE),
    "chat, scored": (ChatCompletionBody, {"model": "tiny", "messages": _HELLO, "prompt_logprobs": 2}),
    "completion, scored": (CompletionBody, {"model": "tiny", "prompt": "Hi", "prompt_logprobs": 2}),
    "chat, biased": (ChatCompletionBody, {"model": "tiny", "messages": _HELLO, "logit_bias": [[5, 1]]}),
    "embedding, cut": (EmbeddingBody, {"model": "vectors", "input": "Hi", "truncate_prompt_tokens": 5}),
    "chat, continued": (ChatCompletionBody, {"model": "tiny", **_PREFIX}),
    "chat, older functions": (ChatCompletionBody, _OLDER),
    **{
        f"chat, choice {number}": (ChatCompletionBody, CHAT | {"tool_choice": choice})
        for number, choice in enumerate(_CHOICES)
    },
    "tokenize chat, older functions": (
        TokenizeChatBody,
        {"model": "tiny", "messages": _OLDER["messages"]},
    ),
    "tokenize chat, continued": (TokenizeChatBody, {"model": "tiny", **_PREFIX}),
    **{
        f"chat, form {number}": (ChatCompletionBody, {"model": "tiny", "messages": _HELLO, **form})
        for number, form in enumerate(_FORMS)
    },
    **{
        f"completion, form {number}": (CompletionBody, {"model": "tiny", "prompt": "Hi", **form})
        for number, form in enumerate(
            [*_FORMS, {"response_format": {"type": "json_schema", "json_schema": _SCHEMA}}]
        )
    },
    "response in a conversation": (ResponseBody, _IN_CONVERSATION | {"conversation": {"id": "conv_1"}}),
    "response in a conversation by its id": (ResponseBody, _IN_CONVERSATION | {"conversation": "conv_1"}),
    "conversation": (ConversationBody, {"items": RESPONSE["input"], "metadata": {"a": "b"}}),
    "conversation update": (ConversationUpdate, {"metadata": {"a": "b"}}),
    "conversation items": (ItemsBody, {"items": RESPONSE["input"]}),
    "allowed": (
        ResponseBody,
        {"model": "tiny", "input": "Hi", "tools": _tools("now", "p", "x"), "tool_choice": ALLOWED},
    ),
    "embedding": (EmbeddingBody, EMBEDDING),
    "rerank": (RerankBody, RERANK),
    "tokenize text": (TokenizeTextBody, _TEXT),
    "tokenize chat": (TokenizeChatBody, _TOKENIZED_CHAT),
    "detokenize tokens": (DetokenizeTokensBody, {"model": "tiny", "tokens": [1]}),
    "detokenize": (DetokenizeBody, {"model": "tiny", "tokens": [1]}),
    "control": (ControlBody, {"id": "chatcmpl-1", "action": "reasoning_end"}),
}
