from typing import Any

import pytest

from inference.core.protocol import Load
from inference.pool.workers.load_frame import load_frame
from tests.each import each
from tests.fakes import card


@each(("site", "context", "expected"), [(None, 200, 200), (100, 200, 100), (None, 50, 50), (100, 50, 50)])
def test_the_shorter_limit_of_the_context_counts(site: int | None, context: int, expected: int) -> None:
    frame = load_frame(Load(model="", path="", context_limit=site), card("m", context_length=context))
    assert (frame.model, frame.context_limit) == ("m", expected)


@pytest.mark.parametrize(("site", "choice", "expected"), [("lookup", "", "lookup"), ("lookup", "off", "off")])
def test_what_an_operator_chose_comes_before_the_setting(site: Any, choice: str, expected: str) -> None:
    frame = load_frame(
        Load(model="", path="", speculation=site), card("m", speculation=choice, kv_bits=8, adapter="llama")
    )
    assert (frame.speculation, frame.kv_bits, frame.adapter) == (expected, 8, "llama")


def test_what_ranks_would_decide_by_their_own_clocks_and_disks_is_off() -> None:
    site = Load(
        model="",
        path="",
        speculation="lookup",
        prefix_disk_path="/x",
        prefix_disk_bytes=5,
        has_exact_seeds=True,
    )
    frame = load_frame(site, card("m", ranks=2, draft_model="small", draft_path="/small"))
    assert (frame.ranks, frame.speculation, frame.draft_path) == (2, "off", "")
    assert (frame.prefix_disk_path, frame.prefix_disk_bytes, frame.has_exact_seeds) == ("", 0, True)
