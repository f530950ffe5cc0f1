"""A running site for the commands: this process answers, by its real /api."""

from typing import Any

from django.test import Client as Browser

from inference.api.operator import token
from inference.management.client import Client


class InProcessSite(Client):
    def __init__(self) -> None:
        super().__init__("127.0.0.1", 1)

    def _request(self, method: str, path: str, body: Any = None) -> bytes:
        headers = {"authorization": f"Bearer {token.make()}", "host": "127.0.0.1"}
        ask = Browser(headers=headers)
        response: Any = (
            ask.get(path) if method == "GET" else ask.post(path, body or {}, content_type="application/json")
        )
        if response.status_code != 200:
            raise self._response_error(response.status_code, response.content)
        return bytes(response.content)
