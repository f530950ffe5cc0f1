"""Each error of the server in Anthropic's form."""

import json

import pytest

from inference.api.http import anthropic_errors, errors
from inference.core.errors import (
    ContextLengthExceeded,
    InvalidValue,
    RateLimited,
    ServerError,
    UnsupportedField,
    all_errors,
)
from tests.each import each

TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    405: "invalid_request_error",
    408: "invalid_request_error",
    409: "invalid_request_error",
    413: "request_too_large",
    415: "invalid_request_error",
    429: "rate_limit_error",
    431: "invalid_request_error",
    500: "api_error",
    502: "api_error",
    503: "api_error",
    507: "api_error",
    529: "overloaded_error",
}


@pytest.mark.parametrize("kind", all_errors(), ids=lambda kind: kind.__name__)
def test_every_error_has_a_type_that_fits_its_status(kind: type[ServerError]) -> None:
    response = errors.response(kind("Words.", param="model", retry_after=0.2), "/v1/messages")
    body = json.loads(response.content)
    assert body["error"] == {"type": TYPES[response.status_code], "message": "Words."}
    assert (body["type"], response["Retry-After"]) == ("error", "1")


def test_a_request_that_waits_for_others_receives_overloaded() -> None:
    overloaded = {kind.code for kind in all_errors() if anthropic_errors.status_of(kind("Words.")) == 529}
    assert overloaded == {"all_pinned", "pool_full", "queue_full", "shutting_down"}
    assert anthropic_errors.status_of(RateLimited("Words.")) == 429


@pytest.mark.parametrize(
    ("lengths", "message"),
    [
        (None, "Long."),
        ((9000, 8192), "prompt is too long: 9000 tokens > 8192 maximum"),
    ],
)
def test_a_short_context_has_the_message_of_anthropic(lengths: tuple[int, int] | None, message: str) -> None:
    error = ContextLengthExceeded("Long.", lengths=lengths)
    assert json.loads(anthropic_errors.encode(error))["error"]["message"] == message


@each(
    ("error", "details"),
    [
        (
            UnsupportedField("No threads.", param="thread"),
            {"error_code": "thread_unsupported_request", "unsupported": ["thread"]},
        ),
        (UnsupportedField("No containers.", param="container"), None),
        (InvalidValue("No object.", param="thread"), None),
    ],
)
def test_a_tool_runner_can_go_on_without_its_thread(error: ServerError, details: object) -> None:
    assert json.loads(anthropic_errors.encode(error))["error"].get("details") == details


@each(
    ("path", "headers", "is_spoken"),
    [
        ("/v1/messages", {}, True),
        ("/v1/messages/count_tokens", {}, True),
        ("/v1/messages2", {}, False),
        ("/v1/models", {}, False),
        ("/v1/models", {"anthropic-version": "x"}, True),
        ("/api/pool", {"anthropic-version": "x"}, False),
    ],
)
def test_the_dialect_is_known_by_address_or_header(
    path: str, headers: dict[str, str], is_spoken: bool
) -> None:
    assert anthropic_errors.is_spoken(path, headers) == is_spoken
