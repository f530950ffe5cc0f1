"""Without other ranks nothing is exchanged; tests/pool/ranks has several."""

import mlx.core as mx
import pytest

from inference.worker.sharding.group import lane_stream, of_rank_0, wait_for_all

pytestmark = pytest.mark.mlx


def test_a_process_alone_keeps_its_tokens_and_waits_for_nobody() -> None:
    tokens = mx.array([3, 5], dtype=mx.uint32)
    assert of_rank_0(tokens) is tokens
    wait_for_all()


def test_lanes_of_a_process_alone_have_streams_of_their_own() -> None:
    assert lane_stream() != lane_stream()
