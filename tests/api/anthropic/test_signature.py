"""The signature of a thinking block."""

import pytest

from inference.api.anthropic.signature import OPAQUE, carrying, reasoning_in
from tests.each import each


@pytest.mark.parametrize("reasoning", ["Hm.\né😀", ""])
def test_reasoning_is_read_from_its_signature(reasoning: str) -> None:
    assert reasoning_in(carrying(reasoning)) == reasoning


@each("signature", [OPAQUE, "", "EqQBCkYIARgC", "mlx.???", "mlx./w=="])
def test_another_signature_carries_none(signature: str) -> None:
    assert reasoning_in(signature) == ""
