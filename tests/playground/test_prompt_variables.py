"""The variables of a system prompt."""

from datetime import UTC, datetime

from playground.prompt_variables import filled, variables
from tests.each import each

NOW = datetime(2026, 3, 1, 23, 30, tzinfo=UTC)


@each(
    ("text", "expected"),
    [
        ("It is {{date}}, {{time}}.", "It is 2026-03-02, 08:30."),
        ("{{ name }} and {{MODEL}}", "Ada and tiny"),
        ("{{weather}} {date} {{date", "{{weather}} {date} {{date"),
        ("{{{{name}}}}", "{{Ada}}"),
        ("no variables", "no variables"),
    ],
)
def test_known_variables_are_filled_and_the_rest_stays(text: str, expected: str) -> None:
    assert filled(text, variables("Asia/Tokyo", name="Ada", model="tiny", now=NOW)) == expected


def test_a_name_that_nobody_knows_stays_a_variable() -> None:
    assert filled("{{name}}", variables("UTC", name="", model="tiny", now=NOW)) == "{{name}}"


def test_a_value_is_not_filled_again() -> None:
    assert filled("{{name}}", variables("UTC", name="{{model}}", model="tiny", now=NOW)) == "{{model}}"


@each("timezone", ["", "Nowhere/Land", "../../etc/passwd", "/etc/passwd", "\0"])
def test_an_unknown_time_zone_is_the_servers(timezone: str) -> None:
    assert variables(timezone, name="", model="tiny", now=NOW)["date"] in {"2026-03-01", "2026-03-02"}
