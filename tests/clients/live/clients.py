"""The clients, how each is started, and the classes of its errors."""

import os
from dataclasses import dataclass
from importlib.util import find_spec


@dataclass(frozen=True)
class Client:
    """A client and its surfaces, which are the ways that it can talk to a server.

    `package` is what has to be installed. A surface of Python is an argument of programs/run.py, one of
    JavaScript a name that `program` prints.
    """

    name: str
    package: str
    surfaces: tuple[str, ...]
    unknown_model: str
    too_long: str
    program: str = ""  # the file of a JavaScript client
    is_nightly: bool = False

    @property
    def is_installed(self) -> bool:
        return bool(self.program) or find_spec(self.package) is not None


_CLIENTS = (
    Client("openai", "openai", ("openai_chat", "openai_responses"), "NotFoundError", "BadRequestError"),
    Client("anthropic", "anthropic", ("anthropic_messages",), "NotFoundError", "BadRequestError"),
    Client("ollama", "ollama", ("ollama_chat",), "ResponseError", "ResponseError"),
    Client(
        "openai-agents",
        "agents",
        ("openai_agents:CHAT", "openai_agents:RESPONSES"),
        "NotFoundError",
        "BadRequestError",
    ),
    Client(
        "langchain-openai",
        "langchain_openai",
        ("langchain_openai_models:CHAT", "langchain_openai_models:RESPONSES"),
        "OpenAIModelNotFoundError",
        "OpenAIContextOverflowError",
    ),
    Client(
        "langchain-anthropic",
        "langchain_anthropic",
        ("langchain_anthropic_messages:MESSAGES",),
        "AnthropicModelNotFoundError",
        "AnthropicContextOverflowError",
        is_nightly=True,
    ),
    Client(
        "pydantic-ai",
        "pydantic_ai",
        ("pydantic_agents:CHAT", "pydantic_agents:RESPONSES"),
        "ModelNotFoundError",
        "ModelContextWindowExceededError",
    ),
    Client(
        "litellm",
        "litellm",
        ("litellm_completion:OPENAI", "litellm_completion:ANTHROPIC"),
        "NotFoundError",
        "ContextWindowExceededError",
    ),
    Client(
        "openai-node",
        "openai",
        ("chat", "responses"),
        "NotFoundError",
        "BadRequestError",
        program="openai.mjs",
    ),
    Client(
        "anthropic-node",
        "@anthropic-ai/sdk",
        ("messages",),
        "NotFoundError",
        "BadRequestError",
        program="anthropic.mjs",
        is_nightly=True,
    ),
    Client(
        "ai-sdk",
        "ai",
        ("openai", "openai_chat", "openai_compatible", "anthropic"),
        "APICallError",
        "APICallError",
        program="ai_sdk.mjs",
    ),
)
IS_NIGHTLY = "MLXSITE_NIGHTLY" in os.environ
CLIENTS = tuple(client for client in _CLIENTS if IS_NIGHTLY or not client.is_nightly)
