"""Large amounts of database work in short transactions."""

import pytest
from django.utils import timezone

from playground import batched_writes
from playground.batched_writes import MAX_CHARACTERS, MAX_ROWS, batches
from playground.models import Conversation
from tests.each import each


@each(
    ("lengths", "sizes"),
    [
        ([], []),
        ([1] * (MAX_ROWS + 1), [MAX_ROWS, 1]),
        ([MAX_CHARACTERS, 1], [1, 1]),
        ([MAX_CHARACTERS + 1, 1, 1], [1, 2]),
        ([MAX_CHARACTERS // 2, MAX_CHARACTERS // 2, 1], [2, 1]),
    ],
)
def test_a_batch_is_bounded_in_rows_and_characters(lengths: list[int], sizes: list[int]) -> None:
    made = list(batches(lengths, int))
    assert list(map(len, made)) == sizes
    assert [length for batch in made for length in batch] == lengths


@pytest.mark.django_db(transaction=True)
def test_a_transaction_that_fails_writes_nothing() -> None:
    with pytest.raises(ValueError, match="half way"), batched_writes.short_transaction():
        Conversation.objects.create(title="half", changed_at=timezone.now())
        raise ValueError("half way")
    with batched_writes.short_transaction():
        Conversation.objects.create(title="whole", changed_at=timezone.now())
    assert [one.title for one in Conversation.objects.all()] == ["whole"]
