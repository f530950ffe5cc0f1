"""Every error that a client may get, each with its HTTP status and OpenAI code.

    ServerError
    ├── InvalidRequest            400  invalid_request_error
    │   ├── InvalidJSON           400  invalid_json
    │   ├── UnsupportedField      400  unsupported_parameter
    │   ├── InvalidValue          400  invalid_value
    │   │   └── InvalidImage      400  invalid_image, and others in image_errors.py
    │   ├── ExclusiveFields       400  mutually_exclusive_parameters
    │   ├── ConversationLocked    400  conversation_locked
    │   ├── ContextLengthExceeded 400  context_length_exceeded
    │   ├── TemplateFailed        400  template_error
    │   ├── AuthenticationFailed  401  invalid_api_key
    │   ├── PermissionDenied      403  permission_denied
    │   │   └── StorageQuotaExceeded  403  storage_quota_exceeded
    │   ├── ModelNotFound         404  model_not_found
    │   ├── NotFound              404  not_found
    │   │   └── PreviousNotFound  404  previous_response_not_found
    │   ├── MethodNotAllowed      405  method_not_allowed
    │   ├── RequestTooSlow        408  request_too_slow
    │   ├── StoppedByOperator     409  stopped_by_operator
    │   ├── ConversationChanged   409  conversation_changed
    │   ├── BodyTooLarge          413  body_too_large
    │   ├── UnsupportedMediaType  415  unsupported_media_type
    │   ├── TooManyConnections    429  too_many_connections
    │   └── HeadersTooLarge       431  headers_too_large
    └── Unavailable               503  server_error
        ├── PoolFull              503  pool_full         (Retry-After)
        ├── AllPinned             503  all_pinned        (Retry-After)
        ├── QueueFull             429  queue_full        (Retry-After)
        ├── RateLimited           429  rate_limit_exceeded (Retry-After)
        ├── ModelTooLarge         503  model_too_large
        ├── ModelLoadFailed       503  model_load_failed
        ├── StorageFull           507  storage_full
        ├── ShuttingDown          503  shutting_down
        ├── WorkerDied            500  worker_died
        ├── UpstreamFailed        502  upstream_failed
        ├── UpstreamUnreachable   503  upstream_unreachable (Retry-After)
        └── InternalError         500  internal_error

The message is shown to the client, so it never holds a path, a traceback or another user's text.
"""

import copy
from typing import ClassVar, Literal, Self

from msgspec import structs

from inference.core.refusal import Refusal

LoadFailure = Literal[
    "out_of_memory",  # it may fit once others have gone
    "files",  # what is on disk cannot be read as a model
    "refused",  # the model asks for what this server does not do
    "timeout",
    "died",  # the worker's process ended
    "internal",
]


class ServerError(Exception):
    """An error meant for the client; `param` names the request field, `retry_after` is in seconds."""

    status: ClassVar[int] = 500
    type: ClassVar[str] = "server_error"
    code: ClassVar[str] = "internal_error"
    usual_retry_after: ClassVar[float | None] = None

    def __init__(self, message: str, *, param: str | None = None, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.added = ""
        self.param = param
        self.retry_after = self.usual_retry_after if retry_after is None else retry_after

    def adding(self, sentence: str) -> Self:
        """This error with one more sentence, which other wordings of it have at their end, too."""
        longer = copy.copy(self)
        longer.message, longer.added = f"{self.message} {sentence}", sentence
        longer.args = (longer.message,)
        return longer

    def refusal(self) -> Refusal:
        return Refusal(code=self.code, message=self.message, param=self.param)


class InvalidRequest(ServerError):
    status, type, code = 400, "invalid_request_error", "invalid_request_error"


class InvalidJSON(InvalidRequest):
    code = "invalid_json"


class UnsupportedField(InvalidRequest):
    """The field is OpenAI's, but this server does not do it yet, so it refuses rather than ignores."""

    code = "unsupported_parameter"


class InvalidValue(InvalidRequest):
    code = "invalid_value"


class ExclusiveFields(InvalidRequest):
    """Two fields of which only one may be sent."""

    code = "mutually_exclusive_parameters"


class ConversationLocked(InvalidRequest):
    """A response is being made in the conversation; OpenAI's code and status, which its clients retry."""

    code = "conversation_locked"


class ContextLengthExceeded(InvalidRequest):
    """The prompt does not fit.

    `lengths` are its tokens, at least so many, and those of the context.
    """

    code = "context_length_exceeded"

    def __init__(
        self,
        message: str,
        *,
        param: str | None = None,
        retry_after: float | None = None,
        lengths: tuple[int, int] | None = None,
    ) -> None:
        super().__init__(message, param=param, retry_after=retry_after)
        self.lengths = lengths

    def refusal(self) -> Refusal:
        return structs.replace(super().refusal(), lengths=self.lengths)


class TemplateFailed(InvalidRequest):
    """The model's chat template cannot render these messages."""

    code = "template_error"


class AuthenticationFailed(InvalidRequest):
    status, code = 401, "invalid_api_key"


class PermissionDenied(InvalidRequest):
    status, code = 403, "permission_denied"


class StorageQuotaExceeded(PermissionDenied):
    """The account keeps as much as it may."""

    code = "storage_quota_exceeded"


class ModelNotFound(InvalidRequest):
    status, code = 404, "model_not_found"


class StoppedByOperator(InvalidRequest):
    """An operator stopped the request: the key is good, and it is not for the client to send it again."""

    status, code = 409, "stopped_by_operator"


class ConversationChanged(InvalidRequest):
    """Another window of the playground changed the chat; the page loads it before it asks again."""

    status, code = 409, "conversation_changed"


class NotFound(InvalidRequest):
    status, code = 404, "not_found"


class PreviousNotFound(NotFound):
    """The response that was to go on is not there; clients send the whole conversation again."""

    code = "previous_response_not_found"


class MethodNotAllowed(InvalidRequest):
    status, code = 405, "method_not_allowed"


class BodyTooLarge(InvalidRequest):
    status, code = 413, "body_too_large"


class UnsupportedMediaType(InvalidRequest):
    status, code = 415, "unsupported_media_type"


class RequestTooSlow(InvalidRequest):
    status, code = 408, "request_too_slow"


class TooManyConnections(InvalidRequest):
    status, code = 429, "too_many_connections"


class HeadersTooLarge(InvalidRequest):
    status, code = 431, "headers_too_large"


class Unavailable(ServerError):
    status, code = 503, "server_error"


class PoolFull(Unavailable):
    """Every resident model is busy and the wanted one does not fit beside them."""

    code = "pool_full"


class AllPinned(Unavailable):
    """What the wanted model needs is held by pinned models, so waiting would not help."""

    code = "all_pinned"


class QueueFull(Unavailable):
    status, type, code = 429, "rate_limit_error", "queue_full"


class RateLimited(Unavailable):
    """The API key has used up what it may; `retry_after` says when there is more."""

    status, type, code = 429, "rate_limit_error", "rate_limit_exceeded"


class ModelTooLarge(Unavailable):
    """The model, or one request beside it, needs more than the whole memory budget."""

    code = "model_too_large"


class ModelLoadFailed(Unavailable):
    """A model did not load; `kind` is for the pool's decisions, the message for people."""

    code = "model_load_failed"

    def __init__(
        self,
        message: str,
        *,
        kind: LoadFailure = "internal",
        param: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message, param=param, retry_after=retry_after)
        self.kind = kind


class StorageFull(Unavailable):
    """The disk is full, so that nothing was stored."""

    status, code = 507, "storage_full"


class ShuttingDown(Unavailable):
    code = "shutting_down"
    usual_retry_after = 10.0  # a client may find the server started again


class WorkerDied(Unavailable):
    """The model's process ended under the request; asking again starts a new one."""

    status, code = 500, "worker_died"


class UpstreamFailed(Unavailable):
    status, code = 502, "upstream_failed"  # the other server gave no usable answer, or broke off in one


class UpstreamUnreachable(Unavailable):
    code, usual_retry_after = "upstream_unreachable", 5.0  # none of the servers of the model answers


class InternalError(Unavailable):
    status, code = 500, "internal_error"


def all_errors(root: type[ServerError] = ServerError) -> list[type[ServerError]]:
    """Every class of the tree below `root`."""
    found: list[type[ServerError]] = []
    for child in root.__subclasses__():
        found += [child, *all_errors(child)]
    return found
