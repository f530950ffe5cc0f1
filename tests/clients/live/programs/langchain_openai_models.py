"""LangChain with OpenAI's provider, Chat Completions and Responses."""

from typing import Any

from langchain_openai import ChatOpenAI

from tests.clients.live.programs.case import KEY, TIMEOUT_S, V1
from tests.clients.live.programs.langchain_models import Cases


def chat(model: str, **fields: Any) -> ChatOpenAI:
    return ChatOpenAI(
        base_url=V1,
        api_key=KEY,
        model=model,
        max_retries=0,
        timeout=TIMEOUT_S,
        **fields,
    )


CHAT = Cases(chat)
RESPONSES = Cases(lambda model: chat(model, use_responses_api=True))
