"""Why a request is refused, with the numbers."""

import pytest

from inference.core.errors import AllPinned, ModelLoadFailed, ModelNotFound, ModelTooLarge
from inference.core.model_card import ModelKind
from inference.core.pool_state import ModelState
from inference.pool.residency.resident import Resident
from inference.pool.scheduling import refusals
from tests.fakes import GB, FakeRunner, card


def pinned(name: str, size: int = GB) -> Resident:
    resident = Resident(card(name, resident_bytes=size, is_pinned=True), FakeRunner(), last_used=0.0)
    resident.state = ModelState.READY
    return resident


def test_a_model_larger_than_the_limit_is_refused() -> None:
    error = refusals.unservable_error(card("a", resident_bytes=9 * GB), 0, [], 8 * GB)
    assert isinstance(error, ModelTooLarge) and error.param == "model"
    assert "needs 9.0 GB of memory; the limit is 8.0 GB" in error.message


def test_a_prompt_that_does_not_fit_beside_the_weights_is_refused_with_its_length() -> None:
    large = card("a", resident_bytes=GB, kv_bytes_per_token=10**6)
    error = refusals.unservable_error(large, 8000, [], 8 * GB)
    assert isinstance(error, ModelTooLarge) and error.param is None
    assert "A prompt of up to 8000 tokens needs 8.0 GB" in error.message


def test_waiting_can_help_unless_the_rest_is_pinned() -> None:
    wanted = card("a", resident_bytes=2 * GB)
    assert refusals.unservable_error(wanted, 0, [pinned("b"), pinned("c")], 4 * GB) is None
    error = refusals.unservable_error(wanted, 0, [pinned("b"), pinned("c", 2 * GB)], 4 * GB)
    assert isinstance(error, AllPinned)
    assert "'b' and 'c', which are pinned, hold 3.0 GB of 4.0 GB: unpin one of them first" in error.message


def test_a_pinned_model_that_leaves_or_is_asked_for_counts_as_free() -> None:
    leaving = pinned("b", 3 * GB)
    leaving.state = ModelState.DRAINING
    assert refusals.unservable_error(card("a", resident_bytes=2 * GB), 0, [leaving], 4 * GB) is None
    own = pinned("a", 3 * GB)
    assert refusals.unservable_error(card("a", resident_bytes=2 * GB), 0, [own], 4 * GB) is None


def test_only_three_pinned_models_are_named() -> None:
    residents = [pinned(name) for name in "bcdef"]
    error = refusals.unservable_error(card("a", resident_bytes=GB), 0, residents, 5 * GB)
    assert error and "'b', 'c', 'd' and 2 more, which are pinned" in error.message


def test_a_model_that_is_switched_off_is_not_found() -> None:
    assert isinstance(refusals.problem_error(card("a", is_enabled=False, problem="off")), ModelNotFound)
    assert isinstance(refusals.problem_error(card("a", problem="no weights")), ModelLoadFailed)


@pytest.mark.parametrize(
    ("kind", "wanted", "text"),
    [
        ("embedding", "chat", "returns embeddings, not text; use it at /v1/embeddings."),
        (
            "chat",
            "rerank",
            "returns text, not scores of documents; use a model that returns scores of documents.",
        ),
    ],
)
def test_another_kind_of_model_is_named_with_its_address(kind: ModelKind, wanted: str, text: str) -> None:
    assert refusals.kind_error(card("a", kind=kind), wanted).message == f"The model 'a' {text}"


def test_a_crash_loop_has_a_reason_and_at_least_a_second() -> None:
    error = refusals.crash_loop_error(card("a"), "", 5, 0.2)
    assert "died 5 times, the last time: the reason is unknown" in error.message
    assert error.retry_after == 1.0
