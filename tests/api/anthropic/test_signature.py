"""The signature of a thinking block."""

import pytest

from inference.api.anthropic.signature import OPAQUE, carrying, reasoning_in


@pytest.mark.parametrize("reasoning", ["Hm.\né😀", ""])
def test_reasoning_is_read_from_its_signature(reasoning: str) -> None:
    assert reasoning_in(carrying(reasoning)) == reasoning


@pytest.mark.parametrize("signature", [OPAQUE, "", "EqQBCkYIARgC", "mlx.???", "mlx./w=="])
def test_another_signature_carries_none(signature: str) -> None:
    assert reasoning_in(signature) == ""
