import logging
import threading
from collections.abc import Callable, Mapping

import pytest
from django.db import OperationalError

from inference.core.model_card import Choice
from inference.models import ServedModel
from inference.storage.operator_choices import Choices

PINNED = {"tiny": Choice(is_pinned=True)}


class Answers:
    """Reads with scripted results, one after the other."""

    def __init__(self, *answers: Mapping[str, Choice] | Exception) -> None:
        self._answers = iter(answers)

    def __call__(self) -> Mapping[str, Choice]:
        answer = next(self._answers)
        if isinstance(answer, Exception):
            raise answer
        return answer


def warnings(caplog: pytest.LogCaptureFixture) -> int:
    return sum(record.levelno == logging.WARNING for record in caplog.records)


@pytest.mark.django_db(transaction=True)
def test_they_are_the_databases() -> None:
    choices = Choices()
    assert choices() == {}
    ServedModel.objects.create(name="tiny", is_pinned=True)
    assert choices() == PINNED


def test_a_database_that_fails_leaves_the_last_known_and_is_reported_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    broken = (OperationalError("database is locked"), ValueError("a row that is no JSON"))
    choices = Choices(Answers(PINNED, *broken, {}))
    assert [choices() for _ in range(4)] == [PINNED, PINNED, PINNED, {}]
    assert warnings(caplog) == 1


def test_a_database_that_was_never_there_means_no_choices() -> None:
    assert Choices(Answers(OperationalError("no such table: inference_servedmodel")))() == {}


def test_a_slow_database_holds_nobody_up_and_its_answer_counts_later(
    caplog: pytest.LogCaptureFixture,
) -> None:
    gate = threading.Event()
    read: Callable[[], Mapping[str, Choice]] = lambda: PINNED if gate.wait(10) else {}  # noqa: E731
    choices = Choices(read, timeout_s=0.01)
    assert choices() == choices() == {}
    gate.set()
    choices._timeout_s = 10
    assert choices() == PINNED
    assert warnings(caplog) == 1
