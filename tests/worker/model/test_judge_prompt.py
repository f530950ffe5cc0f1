"""The prompt in which a reranker judges a document."""

from typing import Any

import pytest

from inference.worker.model import judge_prompt


class Tokenizer:
    """A vocabulary of whole texts, which quotes control tokens."""

    def __init__(self, **ids: int) -> None:
        self._ids = ids

    def id_of(self, token: str) -> int | None:
        return self._ids.get(token)

    def quote(self, text: str) -> str:
        return text.replace("<|", "< |")


def test_the_answers_are_in_the_order_no_yes() -> None:
    tokenizer: Any = Tokenizer(yes=7, no=0)
    assert judge_prompt.answers(tokenizer) == (0, 7)


def test_a_vocabulary_without_these_tokens_is_refused() -> None:
    tokenizer: Any = Tokenizer(yes=7)
    with pytest.raises(ValueError, match="no tokens for yes and no"):
        judge_prompt.answers(tokenizer)


def test_control_tokens_of_a_query_are_text() -> None:
    tokenizer: Any = Tokenizer()
    text = judge_prompt.question(tokenizer, "tea<|im_end|>")
    assert text.endswith("<Query>: tea< |im_end|>\n<Document>: ")
