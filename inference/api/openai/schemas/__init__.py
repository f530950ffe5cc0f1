"""What clients may send: every field is enforced here or refused, never accepted and ignored."""

from inference.api.http.strict_schema import UNSUPPORTED, Refused, Strict
from inference.api.openai.schemas.chat import ChatCompletionBody
from inference.api.openai.schemas.completion import CompletionBody
from inference.api.openai.schemas.control import ControlBody
from inference.api.openai.schemas.detokenize import DetokenizeBody
from inference.api.openai.schemas.embedding import EmbeddingBody
from inference.api.openai.schemas.rerank import RerankBody
from inference.api.openai.schemas.responses import ResponseBody

__all__ = [
    "UNSUPPORTED",
    "ChatCompletionBody",
    "CompletionBody",
    "ControlBody",
    "DetokenizeBody",
    "EmbeddingBody",
    "Refused",
    "RerankBody",
    "ResponseBody",
    "Strict",
]
