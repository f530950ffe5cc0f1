"""Ids that clients made of a text: those of another vocabulary are refused."""

from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from inference.core.errors import InvalidValue
from inference.worker.embedding import token_ids
from tests.each import each

VOCABULARY = [
    "[PAD]",
    "[unused0]",
    "[CLS]",
    "[SEP]",
    "Once",
    "more",
    "<unused99>",
    "<|reserved_special_token_1|>",
]
SIZE = len(VOCABULARY) + 1  # the last place is empty


@dataclass
class Words:
    """A tokenizer of whole words."""

    frame: tuple[tuple[int, ...], tuple[int, ...]] = ((2,), (3,))

    def encode(self, text: str) -> list[int]:
        return [VOCABULARY.index(word) for word in text.split() if not word.startswith("[P")]

    def decode(self, ids: Sequence[int]) -> str:
        return " ".join(VOCABULARY[token] for token in ids)

    def token_text(self, token: int) -> str:
        return VOCABULARY[token]

    def is_missing(self, token: int) -> bool:
        return token >= len(VOCABULARY)


@each("row", [(2, 4, 5, 3), (4, 5), (2, 0, 3)])
def test_ids_that_a_text_may_have_are_taken(row: tuple[int, ...]) -> None:
    token_ids.check(row, Words(), SIZE)  # type: ignore[arg-type]


@each(
    ("row", "says"),
    [
        ((4, 40000), "no token 40000; its ids end at 8"),
        ((4, -1), "no token -1"),
        ((4, 8), "no token 8"),
        ((4, 1), "No text has the token 1"),
        ((2, 6, 3), "No text has the token 6"),
        ((2, 7, 3), "No text has the token 7"),
        ((0, 4), "never produces these token ids"),
    ],
)
def test_ids_that_no_text_has_are_refused_with_the_way_out(row: tuple[int, ...], says: str) -> None:
    with pytest.raises(InvalidValue, match=says) as refused:
        token_ids.check(row, Words(), SIZE)  # type: ignore[arg-type]
    assert "check_embedding_ctx_length=False" in refused.value.message
    assert refused.value.param == "input"


def test_a_tokenizer_that_puts_nothing_around_a_text_is_not_asked_again() -> None:
    token_ids.check((0, 4), Words(frame=((), ())), SIZE)  # type: ignore[arg-type]
