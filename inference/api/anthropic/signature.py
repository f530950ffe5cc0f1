"""The `signature` of a thinking block: an opaque text that clients send back with the block.

Anthropic's servers sign reasoning so that they know it again. Here anybody may change a conversation, so
there is nothing to prove. Where the client asked for blocks without their text, it holds the text.
"""

import base64
import binascii
from typing import Final

OPAQUE: Final = "mlx"
_CARRIES = "mlx."


def carrying(reasoning: str) -> str:
    """A signature from which the reasoning can be read again."""
    return _CARRIES + base64.b64encode(reasoning.encode()).decode()


def reasoning_in(signature: str) -> str:
    """The reasoning that a signature carries; empty for any other."""
    if not signature.startswith(_CARRIES):
        return ""
    try:
        return base64.b64decode(signature.removeprefix(_CARRIES), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""
