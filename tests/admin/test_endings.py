"""How requests ended, in words."""

from typing import get_args

from inference.admin import endings
from inference.core.errors import ServerError, all_errors
from inference.core.events import Finished, FinishReason
from inference.models.request_record import RequestRecord
from tests.each import each


def test_every_code_that_can_be_recorded_has_words() -> None:
    errors: list[type[ServerError]] = [ServerError, *all_errors()]
    codes = {error.code for error in errors}
    assert codes == set(endings.ERRORS)
    assert set(get_args(FinishReason)) == set(endings.FINISHES)
    assert set(get_args(Finished.__annotations__["cut_by"])) - {""} == set(endings.CUTS)


def test_no_two_codes_have_the_same_words_and_none_is_in_code() -> None:
    words = [*endings.ERRORS.values(), *endings.FINISHES.values(), *endings.CUTS.values()]
    assert len(words) == len(set(words))
    assert not [text for text in words if "_" in text or not text[0].isupper()]


@each(
    ("facts", "words", "code"),
    [
        ({"finish": "stop"}, "Completed", "stop"),
        ({"finish": "length"}, "Reached its token limit", "length"),
        ({"finish": "length (memory)"}, "Cut off, memory was full", "length (memory)"),
        (
            {"finish": "stop, length, stop"},
            "Completed (×2); Reached its token limit",
            "stop, length, stop",
        ),
        ({"finish": "stop, too"}, "Completed; too", "stop, too"),
        ({"error": "context_length_exceeded"}, "Prompt too long", "context_length_exceeded"),
        ({"error": "of_an_older_version"}, "of_an_older_version", "of_an_older_version"),
        ({"has_left": True}, "Cancelled by the client", ""),
        ({}, "Done", ""),
    ],
)
def test_a_record_is_told_in_words(facts: dict[str, str], words: str, code: str) -> None:
    record = RequestRecord(**facts)
    assert (endings.ending(record), endings.code(record)) == (words, code)
