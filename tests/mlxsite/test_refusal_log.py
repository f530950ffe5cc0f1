"""Refusals in the log."""

import pytest

from inference.core.errors import InvalidRequest, PermissionDenied
from mlxsite.refusal_log import RefusalLog


def test_one_of_each_kind_a_minute_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    now = [0.0]
    log = RefusalLog(clock=lambda: now[0])
    for _ in range(3):
        log(InvalidRequest("this host name is not allowed"))
    log(PermissionDenied("a page of another site"))
    now[0] = 61.0
    log(InvalidRequest("this host name is not allowed"))
    texts = [record.getMessage() for record in caplog.records]
    host, page = (
        "Refused a request: this host name is not allowed",
        "Refused a request: a page of another site",
    )
    assert texts == [host, page, host]
