"""What clients may send: every field is enforced here or refused, never accepted and ignored."""

from inference.openai.schemas.chat import ChatCompletionBody
from inference.openai.schemas.completion import CompletionBody
from inference.openai.schemas.detokenize import DetokenizeBody
from inference.openai.schemas.embedding import EmbeddingBody
from inference.openai.schemas.responses import ResponseBody
from inference.openai.schemas.strict import UNSUPPORTED, Refused, Strict

__all__ = [
    "UNSUPPORTED",
    "ChatCompletionBody",
    "CompletionBody",
    "DetokenizeBody",
    "EmbeddingBody",
    "Refused",
    "ResponseBody",
    "Strict",
]
