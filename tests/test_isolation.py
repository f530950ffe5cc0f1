"""What one test leaves behind is not there for the next one."""

import pytest
from django.test import Client

from inference.core import request_id


@pytest.mark.parametrize("number", [1, 2])
def test_the_id_of_a_request_stays_in_its_test(number: int) -> None:
    assert request_id.current() == ""
    assert Client().post("/v1/messages", "{", "application/json")["request-id"]
    request_id.begin(f"set-{number}")
