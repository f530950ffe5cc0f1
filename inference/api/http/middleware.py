"""The first and the last step of requests: which API they are for, and errors as JSON in its shape."""

from collections.abc import Awaitable, Callable
from typing import cast

from asgiref.sync import iscoroutinefunction
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.decorators import sync_and_async_middleware

from inference.api.http import (
    answer_headers,
    anthropic_errors,
    base_urls,
    dialects,
    errors,
    rate_limit_headers,
)
from inference.core import request_origin
from inference.core.errors import (
    AuthenticationFailed,
    BodyTooLarge,
    InternalError,
    InvalidRequest,
    MethodNotAllowed,
    NotFound,
    PermissionDenied,
    ServerError,
)

GetResponse = Callable[[HttpRequest], HttpResponseBase]
AsyncGetResponse = Callable[[HttpRequest], Awaitable[HttpResponseBase]]

_ERRORS: dict[int, ServerError] = {
    400: InvalidRequest("The server could not interpret this request."),
    401: AuthenticationFailed("Send your API key in the Authorization header."),
    403: PermissionDenied("This request is not allowed from this origin."),
    404: NotFound(errors.NO_SUCH_ADDRESS),
    405: MethodNotAllowed("This URL does not support this method."),
    413: BodyTooLarge(errors.BODY_TOO_LARGE),
}
_BASE_URL = NotFound(
    "This is a base URL: clients add the path of an endpoint to it, such as /chat/completions."
)
_REPLACED_HEADERS = frozenset({"Content-Type", "Content-Length"})


@sync_and_async_middleware
def json_errors(get_response: GetResponse | AsyncGetResponse) -> GetResponse | AsyncGetResponse:
    """Note which API is called, and replace the HTML and plain-text errors of Django and ninja in it."""
    if iscoroutinefunction(get_response):
        answer_async = cast(AsyncGetResponse, get_response)

        async def in_async(request: HttpRequest) -> HttpResponseBase:
            request_origin.begin(dialects.name_of(request.path))
            return _as_json(request, await answer_async(request))

        return in_async
    answer = cast(GetResponse, get_response)

    def in_sync(request: HttpRequest) -> HttpResponseBase:
        request_origin.begin(dialects.name_of(request.path))
        return _as_json(request, answer(request))

    return in_sync


def _as_json(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    rate_limit_headers.add_to(request, response)
    answer_headers.add_to(request, response)
    if anthropic_errors.is_spoken(request.path, request.headers):
        response["request-id"] = anthropic_errors.request_id_of()
    if request.method == "POST" and base_urls.is_base(request.path):  # a redirect, or a page's refusal
        return errors.response(_BASE_URL, request.path, request.headers)
    if response.status_code < 400 or response.get("Content-Type") == "application/json":
        return response
    meant = base_urls.meant_path(request.path) if response.status_code == 404 else None
    if not _is_api(request.path) and (_is_of_browser(request) or not (meant or _sends_json(request))):
        return response
    error = _ERRORS.get(response.status_code, InternalError(errors.INTERNAL))
    if meant is not None:
        error = NotFound(
            f"{errors.NO_SUCH_ADDRESS} Is {meant[:256]} meant? Then correct the client's base URL."
        )
    replaced = errors.response(error, request.path, request.headers)
    for header, value in response.headers.items():
        if header not in _REPLACED_HEADERS:
            replaced[header] = value
    return replaced


def _is_of_browser(request: HttpRequest) -> bool:
    return "text/html" in request.headers.get("Accept", "")


def _sends_json(request: HttpRequest) -> bool:
    return request.content_type == "application/json"


def _is_api(path: str) -> bool:
    return dialects.is_dialect(path) or f"{path}/".startswith("/api/")
