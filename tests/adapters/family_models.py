"""Tokenizers cut down to the byte alphabet and a family's special tokens."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from transformers import AutoTokenizer, PreTrainedTokenizerFast

from inference.adapters import Adapter, ModelFacts, adapter_for
from inference.core.requests import ChatRequest, Message, Tool
from inference.worker.model.tokenizer import HubTokenizer
from tests.tiny import SPECIAL, make_tokenizer


def hub_tokenizer(
    template: str | None = None, special: Sequence[str] = SPECIAL, **tokens: Any
) -> HubTokenizer:
    return HubTokenizer(
        PreTrainedTokenizerFast(tokenizer_object=make_tokenizer(special), chat_template=template, **tokens)
    )


def make(template: str = "", special: Sequence[str] = SPECIAL, **facts: Any) -> tuple[Adapter, HubTokenizer]:
    """The adapter found for a model with these facts, and its tokenizer."""
    tokenizer = hub_tokenizer(template or None, special, bos_token=special[0])
    return adapter_for(ModelFacts(chat_template=template, **facts), tokenizer), tokenizer


def real(name: str, model_type: str, template: str = "") -> tuple[Adapter, HubTokenizer]:
    """The adapter of a real family's tokenizer, with its own template unless one is given."""
    folder = Path(__file__).parent / "real" / name
    hub = AutoTokenizer.from_pretrained(folder)
    hub.chat_template = template or hub.chat_template
    facts = ModelFacts(
        config={"model_type": model_type},
        tokenizer_config=json.loads((folder / "tokenizer_config.json").read_text()),
        chat_template=hub.chat_template or "",
    )
    tokenizer = HubTokenizer(hub)
    return adapter_for(facts, tokenizer), tokenizer


def stops(adapter: Adapter, tokenizer: HubTokenizer) -> set[str]:
    return {tokenizer.token_text(token) for token in adapter.stop_ids}


def rendered(adapter: Adapter, tokenizer: HubTokenizer, *contents: str) -> str:
    """The prompt's text for turns that alternate between user and assistant."""
    roles = ("user", "assistant")
    turns = [Message(role=roles[i % 2], content=text) for i, text in enumerate(contents)]  # type: ignore[arg-type]
    return tokenizer.decode(adapter.render(chat_request(*turns)))


def chat_request(*messages: Message, **wishes: Any) -> ChatRequest:
    return ChatRequest(model="tiny", messages=messages, **wishes)


ADD = Tool(
    name="add",
    description="Adds.",
    parameters='{"type":"object","properties":{"a":{"type":"integer"}},"required":["a"],'
    '"additionalProperties":false}',
)
NOW = Tool(name="now")
# As Llama 3.1 has it, in short: the first user turn has the tools, and a turn has one call.
LLAMA_TOOLS = """{{- bos_token }}
{%- for message in messages %}
    {%- if message.tool_calls %}
        {%- if message.tool_calls | length != 1 %}
            {{- raise_exception("This model only supports single tool-calls at once!") }}
        {%- endif %}
        {%- set call = message.tool_calls[0].function %}
        {{- '<|start_header_id|>assistant<|end_header_id|>\n\n{"name": "' + call.name }}
        {{- '", "parameters": ' + (call.arguments | tojson) + '}<|eot_id|>' }}
    {%- else %}
        {%- set role = 'ipython' if message.role == 'tool' else message.role %}
        {{- '<|start_header_id|>' + role + '<|end_header_id|>\n\n' }}
        {%- if loop.first and tools %}
            {%- for tool in tools %}{{- tool | tojson(indent=4) + '\n\n' }}{%- endfor %}
        {%- endif %}
        {{- message.content + '<|eot_id|>' }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}{{- '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{%- endif %}"""
# As Devstral and Mistral Small 3.2 have it, in short.
MISTRAL_ARGS = """{{- bos_token }}
{%- for message in messages %}
    {%- if message.role == 'user' %}
        {%- if tools and message == (messages | selectattr('role', 'equalto', 'user') | list)[-1] %}
            {{- '[AVAILABLE_TOOLS]' + (tools | tojson) + '[/AVAILABLE_TOOLS]' }}
        {%- endif %}
        {{- '[INST]' + message.content + '[/INST]' }}
    {%- elif message.role == 'tool' %}
        {{- '[TOOL_RESULTS]' + message.tool_call_id + '[TOOL_CONTENT]' + message.content }}
        {{- '[/TOOL_RESULTS]' }}
    {%- else %}
        {{- message.content }}
        {%- for call in message.tool_calls or [] %}
            {{- '[TOOL_CALLS]' + call.function.name + '[ARGS]' + (call.function.arguments | tojson) }}
        {%- endfor %}
        {{- eos_token }}
    {%- endif %}
{%- endfor %}"""
