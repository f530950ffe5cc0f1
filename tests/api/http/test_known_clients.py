"""Clients whose own fields never stop a request."""

from typing import Any

from django.test import RequestFactory

from inference.api.http.known_clients import is_known
from tests.each import each


@each(
    ("headers", "fields", "known"),
    [
        ({"User-Agent": "Claude-CLI/1.0 (external)"}, {}, True),
        ({"User-Agent": "Mozilla/5.0", "originator": "codex"}, {}, True),
        ({"User-Agent": "curl/8"}, {"client_metadata": {}}, True),
        ({"User-Agent": "curl/8"}, {"model": "tiny"}, False),
        ({}, {}, False),
    ],
)
def test_a_client_is_known_by_a_header_or_a_field(
    headers: dict[str, str], fields: dict[str, Any], known: bool
) -> None:
    assert is_known(RequestFactory().post("/v1/chat/completions", headers=headers), fields) == known
