"""What rank 0 sends is what another rank carries out."""

import os

import pytest

from inference.core.protocol import Grant, Load, Pause, Shed
from inference.core.requests import Sampling
from inference.worker.embedding.inputs import Inputs
from inference.worker.engine.commands import Add, EndSequenceThinking, Limit, Quit, Remove
from inference.worker.engine.sequence import Sequence
from inference.worker.lockstep.frames import Round, read, received, sent, write

pytestmark = pytest.mark.mlx
SEQUENCE = Sequence(
    id=7,
    prompt=(1, 2, 3),
    max_tokens=9,
    sampling=Sampling(temperature=0.7, seed=5),
    stop_ids=frozenset({4, 2}),
    owner="key",
    answered=(6,),
    checkpoints=(2,),
    request=3,
    logprobs=2,
)


def passed(*commands: object) -> list[object]:
    """The commands as another rank gets them, over a pipe."""
    out, into = os.pipe()
    write(into, Round(commands=sent(commands), prefill_rate=12.5, digest=42))  # type: ignore[arg-type]
    os.close(into)
    frame, end = read(out), read(out)
    os.close(out)
    assert frame and end is None and (frame.prefill_rate, frame.digest) == (12.5, 42)
    return list(received(frame.commands))


def test_a_sequence_keeps_what_decides_the_batch_and_loses_how_it_is_sampled() -> None:
    (add, limit) = passed(Add((SEQUENCE,)), Limit(3, 16, 40, (SEQUENCE,)))
    assert isinstance(add, Add) and isinstance(limit, Limit)
    (one,) = add.sequences
    assert isinstance(one, Sequence) and limit.sequences == (one,)
    for name in ("id", "prompt", "max_tokens", "stop_ids", "owner", "answered", "checkpoints", "request"):
        assert getattr(one, name) == getattr(SEQUENCE, name)
    assert (one.sampling, one.logprobs) == (Sampling(temperature=0, seed=0), None)
    assert (limit.request, limit.tokens, limit.kv_tokens) == (3, 16, 40)


def test_orders_of_the_site_pass_as_they_are_and_in_their_order() -> None:
    orders = [Load(model="m", path="/m", ranks=2), Remove(7), Grant(id=3, wish=1, tokens=32)]
    orders += [Pause(id=3), Shed(keep_bytes=5)]
    assert passed(*orders) == orders


def test_what_is_about_sampling_or_this_process_stays_here() -> None:
    assert passed(EndSequenceThinking(3, (7,)), Quit()) == []


def test_an_embedding_request_is_none_for_several_ranks() -> None:
    with pytest.raises(TypeError):
        sent([Add((Inputs(id=1, rows=((1,),)),))])


def test_nothing_is_read_of_a_round_that_broke_off() -> None:
    out, into = os.pipe()
    os.write(into, b"\x00\x00\x00\x09abc")
    os.close(into)
    assert read(out) is None
    os.close(out)
