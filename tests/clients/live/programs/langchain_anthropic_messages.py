"""LangChain with Anthropic's provider."""

from langchain_anthropic import ChatAnthropic

from tests.clients.live.programs.case import KEY, MAX_TOKENS, TIMEOUT_S, URL
from tests.clients.live.programs.langchain_models import Cases


def chat(model: str) -> ChatAnthropic:
    return ChatAnthropic(
        base_url=URL,
        api_key=KEY,
        model=model,
        max_tokens=MAX_TOKENS,
        max_retries=0,
        timeout=TIMEOUT_S,
    )


MESSAGES = Cases(chat)
