"""What recognises a chat in a further import."""

import hashlib
import json
from typing import Any

import pytest

from playground.imports.converted_chat import ConvertedChat
from tests.each import each


@each("messages", [[], [{"b": 1, "a": "ä\ud83d"}], [{"id": 1}, {"id": 2, "at": {3: 4}}], None])
def test_the_key_is_that_of_the_whole_json(messages: Any) -> None:
    """So it is the same as in imports of earlier versions."""
    text = json.dumps(["chatgpt:1", messages], sort_keys=True, default=str)
    chat = ConvertedChat({"messages": messages}, "chatgpt:1")
    assert chat.import_key == hashlib.sha256(text.encode(errors="replace")).hexdigest()


def test_no_call_writes_more_than_a_message(monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[Any] = []
    real = json.dumps

    def noting(value: Any, **options: Any) -> str:
        written.append(value)
        return real(value, **options)

    monkeypatch.setattr(json, "dumps", noting)
    messages = [{"id": number} for number in range(5000)]
    assert ConvertedChat({"messages": messages}, "own:").import_key
    assert written == ["own:", *messages]
