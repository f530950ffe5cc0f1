"""Other servers that answer for models of this site: which, where, and what they take."""

from collections.abc import Mapping
from typing import Literal, get_args

from msgspec import Struct
from pydantic import SecretStr

# The program that answers there, which decides on the fields that it takes; "openai" for any other.
Engine = Literal["openai", "vllm", "sglang", "llama.cpp", "ollama", "lm-studio", "mlx-lm", "mlxsite"]
ENGINES: tuple[Engine, ...] = get_args(Engine)
ENGINE_NAMES: Mapping[Engine, str] = {
    "openai": "another server",
    "vllm": "vLLM",
    "sglang": "SGLang",
    "llama.cpp": "llama.cpp",
    "ollama": "Ollama",
    "lm-studio": "LM Studio",
    "mlx-lm": "mlx_lm.server",
    "mlxsite": "a site of this program",
}


class Address(Struct, frozen=True, kw_only=True):
    """One place where a model is answered for."""

    upstream: str  # its name on this site
    base_url: str  # such as http://10.0.0.5:8000/v1, without a slash at its end
    model: str  # what the server there calls the model
    engine: Engine = "openai"
    key: SecretStr = SecretStr("")

    @property
    def place(self) -> tuple[str, str]:
        """What tells it from every other address."""
        return self.base_url, self.model


class Route(Struct, frozen=True, kw_only=True):
    """A model of this site that other servers answer for; `addresses` are those that can be asked."""

    model: str
    context_length: int
    takes_tools: bool = True
    can_reason: bool = False
    sees: bool = False  # it takes pictures
    most_streams: int = 0  # of all addresses together; 0: the site's own limit for a model
    created: int = 0  # unix time
    addresses: tuple[Address, ...] = ()
    problem: str = ""  # why there is none, as a text for the operator; empty when there is


class RemoteModel(Struct, frozen=True, kw_only=True):
    """What a model's card has where other servers answer for it."""

    upstreams: tuple[str, ...]  # their names
    most_streams: int = 0
    takes_tools: bool = True
    can_reason: bool = False
