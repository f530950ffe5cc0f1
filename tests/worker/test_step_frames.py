"""Log probabilities of long prompts travel in frames of a size that the site reads."""

import pytest

from inference.core.events import Accepted, TextDelta
from inference.core.protocol import encode
from inference.worker.engine.sequence import Scored
from inference.worker.sampling.logprobs import Logprob
from tests.worker.engine_stub import EngineStub

pytestmark = pytest.mark.mlx


def scored(number: int, tokens: int, tops: int) -> Scored:
    top = tuple((place, -1.5) for place in range(tops))
    return Scored(number, (65,) * tokens, tuple(Logprob(-0.5, top) for _ in range(tokens - 1)))


def test_the_echoes_of_a_long_prompt_travel_in_frames_the_site_takes() -> None:
    """Eight copies of one prompt's log probabilities were one frame, which ended the worker for everybody."""
    stub = EngineStub()
    stub.submit_echo(1, n=8)
    stub.requests.deliver([scored(number, 8_000, 5) for number in range(1, 9)])
    steps = stub.until_finished()
    sizes = [len(encode(step)) for step in steps]
    assert max(sizes) < 4 * 2**20 < sum(sizes)
    deltas = [h.what for step in steps for h in step.happened if isinstance(h.what, TextDelta)]
    for index in range(8):
        own = [delta for delta in deltas if delta.index == index]
        assert sum(len(delta.logprobs) for delta in own) == 8_000
        assert [delta.text for delta in own if delta.text] == [own[0].text]


def test_a_frame_that_is_too_large_costs_its_own_requests_only() -> None:
    stub = EngineStub(max_frame_bytes=20_000)
    stub.submit_echo(1)
    assert isinstance(stub.next_event(1), Accepted)
    stub.submit(9, max_tokens=2)
    stub.requests.deliver([scored(1, 500, 5)])
    assert stub.next_event(1).code == "internal_error"
    stub.generate(2, "ab", last=True)
    assert stub.next_event(9).text == "a"
