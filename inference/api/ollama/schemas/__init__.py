"""What clients of Ollama may send: every field is enforced, refused or noted."""

from inference.api.ollama.schemas.chat import OllamaChatBody
from inference.api.ollama.schemas.embed import EmbedBody, OldEmbeddingBody
from inference.api.ollama.schemas.generate import GenerateBody
from inference.api.ollama.schemas.show import ShowBody

__all__ = ["EmbedBody", "GenerateBody", "OldEmbeddingBody", "OllamaChatBody", "ShowBody"]
