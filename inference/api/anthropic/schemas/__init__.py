"""What clients of Anthropic's API may send: a field is enforced, refused or noted."""

from inference.api.anthropic.schemas.messages import INTERLEAVED, CountTokensBody, MessagesBody

__all__ = ["INTERLEAVED", "CountTokensBody", "MessagesBody"]
