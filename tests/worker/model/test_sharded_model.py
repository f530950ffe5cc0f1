"""What can be divided among ranks, and what is refused; tests/pool/ranks computes with several of them."""

from pathlib import Path
from typing import Any

import mlx.nn as nn
import pytest

from inference.core.protocol import Load
from inference.worker.model.load_failure import RefusedModel
from inference.worker.model.sharded_model import own_part
from tests.worker.models import recurrent, tiny

pytestmark = pytest.mark.mlx


class Divisible(nn.Module):  # type: ignore[misc]
    def shard(self, group: Any) -> None:
        raise AssertionError("it was not to be divided")


def options(ranks: int) -> Load:
    return Load(model="m", path="", ranks=ranks)


def test_one_rank_computes_the_model_as_it_is(tmp_path: Path) -> None:
    model = tiny(tmp_path)
    assert own_part(model, {"model_type": "llama"}, options(1)) is model


def test_a_kind_that_mlx_lm_cannot_divide_is_refused_before_anybody_waits() -> None:
    with pytest.raises(RefusedModel, match="cannot divide models of the kind mamba"):
        own_part(recurrent(), {"model_type": "mamba"}, options(2))


@pytest.mark.parametrize(
    ("config", "ranks", "problem"),
    [
        ({"num_attention_heads": 4, "num_key_value_heads": 2}, 4, "its 2 key value heads .* among 4 ranks"),
        ({"text_config": {"num_attention_heads": 9}}, 2, "its 9 attention heads"),
        ({"num_attention_heads": 5, "num_key_value_heads": 1, "kv_lora_rank": 8}, 2, "its 5 attention heads"),
    ],
)
def test_heads_that_cannot_be_divided_are_named(config: Any, ranks: int, problem: str) -> None:
    with pytest.raises(RefusedModel, match=problem):
        own_part(Divisible(), config, options(ranks))


def test_ranks_that_cannot_connect_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLX_HOSTFILE", "/gone/hosts.json")
    monkeypatch.setenv("MLX_RANK", "0")
    heads = {"num_attention_heads": 4, "num_key_value_heads": 2}
    with pytest.raises(RefusedModel, match="its ranks cannot connect"):
        own_part(Divisible(), heads, options(2))
