"""Whether compared models answer together or in turn."""

import pytest

from playground import comparison
from tests.fakes import GB, FakeRunner, card, serving


@pytest.mark.parametrize(("size", "ending"), [(4 * GB, "at the same time."), (6 * GB, "is unloaded.")])
def test_models_answer_together_where_their_memory_is_there(size: int, ending: str) -> None:
    with serving(FakeRunner(), cards=[card("a", resident_bytes=size), card("b", resident_bytes=size)]):
        text = comparison.plan(["a", "b", "none"])
    assert f"need {2 * size / GB:.1f} GB of the 10.0 GB of memory" in text
    assert text.endswith(ending)
