import json
import logging

import pytest
from django.core.exceptions import RequestDataTooBig
from django.http import Http404
from ninja.errors import HttpError

from inference.api.http import errors
from inference.core.errors import PoolFull, ServerError, StoppedByOperator, all_errors
from tests.each import each


@pytest.mark.parametrize("kind", all_errors(), ids=lambda kind: kind.__name__)
def test_every_error_has_openai_s_shape(kind: type[ServerError]) -> None:
    response = errors.response(kind("Words.", param="model", retry_after=0.2))
    assert response.status_code == kind.status
    assert json.loads(response.content) == {
        "error": {"message": "Words.", "type": kind.type, "param": "model", "code": kind.code}
    }
    assert response["Retry-After"] == "1"


def test_a_request_that_an_operator_stopped_looks_like_no_bad_key_and_is_not_sent_again() -> None:
    response = errors.response(StoppedByOperator("An operator stopped this request."))
    assert response.status_code == 409 and response["x-should-retry"] == "false"
    assert "x-should-retry" not in errors.response(PoolFull("Full."))


@each(
    ("raised", "code"),
    [
        (Http404("secret"), "not_found"),
        (RequestDataTooBig("secret"), "body_too_large"),
        (HttpError(500, "secret"), "internal_error"),
        (ValueError("secret"), "internal_error"),
    ],
)
def test_foreign_errors_have_our_messages(raised: Exception, code: str) -> None:
    error = errors.explain(raised)
    assert error.code == code
    assert "secret" not in error.message


def test_the_unexpected_goes_to_the_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        errors.explain(ValueError("what broke"))
    assert "what broke" in caplog.text
