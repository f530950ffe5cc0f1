"""What clients of Anthropic's API may send: a field is enforced, refused or noted."""

from inference.api.anthropic.schemas.messages import CountTokensBody, MessagesBody

__all__ = ["CountTokensBody", "MessagesBody"]
