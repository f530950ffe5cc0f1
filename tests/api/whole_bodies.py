"""Bodies with every field of their schemas, of all dialects."""

from collections.abc import Mapping
from typing import Any

from inference.api.http.strict_schema import Strict
from tests.api.anthropic import whole_bodies as anthropic
from tests.api.ollama import whole_bodies as ollama
from tests.api.openai import whole_bodies as openai

BODIES: Mapping[str, tuple[type[Strict], dict[str, Any]]] = {
    f"{dialect.__name__.split('.')[-2]} {name}": body
    for dialect in (openai, anthropic, ollama)
    for name, body in dialect.BODIES.items()
}
