"""Tokenizers cut down to the byte alphabet and a family's special tokens."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from transformers import AutoTokenizer, PreTrainedTokenizerFast

from inference.adapters import Adapter, ModelFacts, adapter_for
from inference.requests import ChatRequest, Message
from inference.worker.tokenizer import HubTokenizer
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
    return tokenizer.decode(adapter.render(asking(*turns)))


def asking(*messages: Message) -> ChatRequest:
    return ChatRequest(model="tiny", messages=messages)
