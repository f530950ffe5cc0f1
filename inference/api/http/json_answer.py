"""The answer that is one JSON value."""

from typing import Any

import msgspec
from django.http import HttpResponse


def json_answer(value: Any) -> HttpResponse:
    """The value as the JSON body of an answer; structs are objects."""
    return HttpResponse(msgspec.json.encode(value), content_type="application/json")
