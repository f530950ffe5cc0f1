"""llguidance's errors as messages."""

from inference.worker.sampling.grammar_dead_ends import COMPLEX
from inference.worker.sampling.grammar_errors import first_line, reason_for
from tests.each import each


@each(
    ("error", "reason"),
    [
        (
            'Unimplemented keys: ["not", "if"]\nat 1',
            "The schema's 'not', 'if' cannot be enforced; leave it out.",
        ),
        ("grammar too large", COMPLEX),
        ("Unknown type.\nmore", "The schema cannot be enforced: Unknown type."),
    ],
)
def test_a_reason_names_what_to_change(error: str, reason: str) -> None:
    assert reason_for(error) == reason


def test_the_first_line_is_bounded() -> None:
    assert first_line(f"\n {'x' * 500}\nsecond") == "x" * 200
    assert first_line(" \n") == ""
