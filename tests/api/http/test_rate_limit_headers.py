from inference.api.http.rate_limit_headers import as_duration
from tests.each import each


@each(
    ("seconds", "text"),
    [
        (0, "0ms"),
        (0.25, "250ms"),
        (12, "12s"),
        (59.6, "1m0s"),
        (61, "1m1s"),
        (3600, "1h0m0s"),
        (82800, "23h0m0s"),
    ],
)
def test_durations_are_written_as_openai_writes_them(seconds: float, text: str) -> None:
    assert as_duration(seconds) == text
