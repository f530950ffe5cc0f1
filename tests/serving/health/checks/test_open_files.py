"""What is said of the limit of open files."""

import resource

import pytest

from inference.serving.health.checks import open_files


@pytest.mark.parametrize(
    ("limits", "state"),
    [((256, 1024), "look"), ((1024, 4095), "look"), ((1024, 4096), "good"), ((1024, -1), "good")],
)
def test_a_low_limit_of_open_files_is_reported_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch, limits: tuple[int, int], state: str
) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda what: limits)
    (looked,) = open_files.check()
    assert looked.state == state and ("LimitNOFILE" in looked.advice) == (state == "look")
