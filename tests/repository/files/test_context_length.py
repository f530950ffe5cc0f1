"""The longest context, wherever config.json says it."""

from typing import Any

import pytest

from inference.repository.files.context_length import read
from tests.each import each

YARN = {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32768}


@each(
    ("config", "length"),
    [
        ({"max_position_embeddings": 4096}, 4096),
        ({"n_positions": 1024}, 1024),  # GPT-2
        ({"max_seq_len": 8192}, 8192),  # MPT, DBRX
        ({"seq_length": 32768}, 32768),  # ChatGLM
        ({"max_sequence_length": 2048}, 2048),
        ({"model_max_length": 1_048_576}, 1_048_576),  # Kimi Linear
        ({"block_size": 512}, 512),
        ({"n_ctx": 2048, "n_positions": 1024}, 1024),
        ({"text_config": {"max_position_embeddings": 131072}, "max_position_embeddings": 77}, 131072),
        ({"text_config": {"hidden_size": 1}, "max_position_embeddings": 4096}, 4096),
        ({"llm_config": {"n_positions": 1024}}, 1024),
    ],
)
def test_it_is_found_under_every_name(config: dict[str, Any], length: int) -> None:
    assert read(config) == length


@pytest.mark.parametrize(
    ("rope", "own", "length"),
    [
        (YARN, 32768, 131072),  # as Qwen's cards have it written
        (YARN, 131072, 131072),  # as DeepSeek and gpt-oss publish it
        ({**YARN, "factor": 1}, 32768, 32768),
        ({"type": "yarn", "factor": 2, "original_max_position_embeddings": 4096}, 4096, 8192),
        ({"type": "linear", "factor": 4, "original_max_position_embeddings": 4096}, 4096, 16384),
        ({"type": "linear", "factor": 4}, 16384, 16384),  # nobody says that this is the original
        ({"rope_type": "llama3", "factor": 8, "original_max_position_embeddings": 8192}, 131072, 131072),
        ({"rope_type": "longrope", "factor": 32, "original_max_position_embeddings": 4096}, 131072, 131072),
        ({"full_attention": YARN, "sliding_attention": {"rope_type": "default"}}, 32768, 131072),
        ({"rope_type": "yarn", "factor": float("inf"), "original_max_position_embeddings": 4}, 4096, 4096),
        ({"rope_type": "yarn", "factor": True, "original_max_position_embeddings": 8192}, 4096, 4096),
        ({"rope_type": "yarn", "factor": 4, "original_max_position_embeddings": "8192"}, 4096, 4096),
        ("yarn", 4096, 4096),
    ],
)
@pytest.mark.parametrize("key", ["rope_scaling", "rope_parameters"])
def test_yarn_stretches_it(key: str, rope: Any, own: int, length: int) -> None:
    assert read({"max_position_embeddings": own, key: rope}) == length


def test_the_original_length_may_stand_beside_the_scaling() -> None:
    config = {"max_position_embeddings": 4096, "original_max_position_embeddings": 4096}
    assert read({**config, "rope_scaling": {"type": "yarn", "factor": 16}}) == 65536


def test_the_tokenizers_settings_are_asked_last() -> None:
    assert read({}, {"model_max_length": 8192}) == 8192
    assert read({"max_position_embeddings": 4096}, {"model_max_length": 8192}) == 4096


@each("nonsense", [0, -5, True, "4096", None, [4096], 4096.0, 1e30, 10**40])
def test_nonsense_counts_as_nothing(nonsense: Any) -> None:
    assert read({"max_position_embeddings": nonsense}, {"model_max_length": nonsense}) == 2048
