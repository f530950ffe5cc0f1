"""A database that cannot store is reported in words."""

from django.db import InternalError, OperationalError

from inference.api.http import errors
from tests.each import each


@each(
    ("message", "status", "words"),
    [
        ("database or disk is full", 507, "disk is full"),
        ("database is locked", 503, "busy"),
        ("disk I/O error", 503, "busy"),
    ],
)
def test_each_failure_has_its_status(message: str, status: int, words: str) -> None:
    error = errors.explain(OperationalError(message))
    assert error.status == status and words in error.message


class ServerError(Exception):
    """An error of PostgreSQL's library, of which the code alone counts."""

    def __init__(self, sqlstate: str | None) -> None:
        self.sqlstate = sqlstate


@each(
    ("code", "status", "words"),
    [
        ("53100", 507, "disk is full"),
        ("53300", 503, "busy"),  # too many connections
        ("40001", 503, "busy"),
        ("55P03", 503, "busy"),  # a lock
        ("57P01", 503, "cannot be reached"),  # it is shutting down
        (None, 503, "cannot be reached"),
    ],
)
def test_each_code_of_postgresql_has_its_status(code: str | None, status: int, words: str) -> None:
    error = OperationalError("the buffer is full of words")
    error.__cause__ = ServerError(code)
    explained = errors.explain(error)
    assert explained.status == status and words in explained.message and explained.retry_after != 0


def test_a_server_that_became_read_only_is_not_there_and_another_internal_error_is_ours() -> None:
    for code, status in (("25006", 503), ("25P02", 500)):
        error = InternalError("cannot execute INSERT")
        error.__cause__ = ServerError(code)
        assert errors.explain(error).status == status
