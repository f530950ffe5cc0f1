"""A ServerError in the shape of the API that was called: OpenAI's, Anthropic's or Ollama's."""

import logging
import math
from collections.abc import Callable, Container
from typing import Any

import msgspec
from django.core.exceptions import RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError

from inference.api.http import anthropic_errors, dialects, storage_errors
from inference.core.errors import (
    AuthenticationFailed,
    BodyTooLarge,
    InternalError,
    NotFound,
    ServerError,
    StoppedByOperator,
)

logger = logging.getLogger(__name__)

NO_SUCH_ADDRESS = "This URL does not exist; docs/api.md lists the endpoints."
BODY_TOO_LARGE = (
    "The request body is larger than this server accepts (MLX_SERVER_MAX_BODY_BYTES; "
    "MLX_SERVER_PICTURE_BODY_BYTES where it may have pictures)."
)
INTERNAL = "An internal error occurred; the server's log has the details."


def explain(error: Exception) -> ServerError:
    """The error that a client sees: an unexpected one goes to the log, never over the wire."""
    match error:
        case ServerError():
            return error
        case Http404():
            return NotFound(NO_SUCH_ADDRESS)
        case _ if storage_errors.is_refusal(error):
            return storage_errors.explain(error)
        case RequestDataTooBig():
            return BodyTooLarge(BODY_TOO_LARGE)
        case AuthenticationError():
            return AuthenticationFailed("Send your API key in the Authorization header.")
    logger.error("Unexpected error while answering", exc_info=error)
    return InternalError(INTERNAL)


def encode(error: ServerError) -> bytes:
    """The JSON body of `error`."""
    fields = {"message": error.message, "type": error.type, "param": error.param, "code": error.code}
    return msgspec.json.encode({"error": fields})


def encode_as_text(error: ServerError) -> bytes:
    """The JSON body of `error` in Ollama's API, which has the message alone."""
    return msgspec.json.encode({"error": error.message})


def encoder_of(path: str, headers: Container[str] = ()) -> Callable[[ServerError], bytes]:
    """How the API writes its errors that a request with this path and these headers has called."""
    if dialects.is_ollama(path):
        return encode_as_text
    return anthropic_errors.encode if anthropic_errors.is_spoken(path, headers) else encode


def status_of(error: ServerError, path: str, headers: Container[str] = ()) -> int:
    """The HTTP status of `error` in the API that was called."""
    return anthropic_errors.status_of(error) if anthropic_errors.is_spoken(path, headers) else error.status


def response(error: ServerError, path: str = "", headers: Container[str] = ()) -> HttpResponse:
    """The answer to a request with this path and these headers that failed."""
    status = status_of(error, path, headers)
    answer = HttpResponse(encoder_of(path, headers)(error), status=status, content_type="application/json")
    if error.retry_after is not None:
        answer["Retry-After"] = str(math.ceil(error.retry_after))
    if isinstance(error, StoppedByOperator):
        answer["x-should-retry"] = (
            "false"  # OpenAI's clients send a 409 again by themselves, unless this header forbids it
        )
    if error.status == 401:
        answer["WWW-Authenticate"] = "Bearer"
    return answer


def handle_all(api: NinjaAPI) -> None:
    """Give every error of this API this shape."""
    for kind in (Exception, Http404, HttpError, ValidationError):
        api.add_exception_handler(kind, _on_error)


def _on_error(request: HttpRequest, error: Any) -> HttpResponse:
    return response(explain(error), request.path, request.headers)
