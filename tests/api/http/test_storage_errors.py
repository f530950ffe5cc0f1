"""A database that cannot store is reported in words."""

import pytest
from django.db import OperationalError

from inference.api.http import errors


@pytest.mark.parametrize(
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
