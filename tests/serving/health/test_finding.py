from inference.serving.health.finding import CheckResult, State, as_data
from tests.each import each


@each(
    ("states", "worst"),
    [(["good"], "good"), (["good", "look"], "look"), (["look", "wrong", "good"], "wrong"), ([], "good")],
)
def test_the_as_data_is_as_good_as_its_worst_part(states: list[State], worst: str) -> None:
    assert as_data([CheckResult(about="it", text="so", state=state) for state in states])["state"] == worst
