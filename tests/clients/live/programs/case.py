"""What every Python client is asked, the same for all of them; tests/scripted_model.py has the answers."""

import sys
from typing import Any

from pydantic import BaseModel

URL = sys.argv[1] if len(sys.argv) > 1 else ""
V1 = f"{URL}/v1"
KEY = "not-needed"
MODEL = "tiny"
HELLO = "Hello"
ENDLESS = "Sing forever."  # its answer takes half a minute
LONG = "word " * 4000  # a byte is a token: more than the context of 16,384
MAX_TOKENS = 12_000
TIMEOUT_S = 120

DESCRIPTION = "Turn the light on or off."
PARAMETERS = {
    "type": "object",
    "properties": {"on": {"type": "boolean"}},
    "required": ["on"],
    "additionalProperties": False,
}
FUNCTION_TOOL: Any = {
    "type": "function",
    "function": {"name": "set_light", "description": DESCRIPTION, "parameters": PARAMETERS},
}
RESULT = "The light is set."


class Light(BaseModel):
    on: bool
