from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.repository.memory_estimate import kv_bytes_per_token, prefill_bytes
from tests.each import each

LLAMA_1B: dict[str, Any] = {
    "model_type": "llama",
    "hidden_size": 2048,
    "intermediate_size": 8192,
    "num_hidden_layers": 16,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "head_dim": 64,
    "vocab_size": 128256,
}
DEEPSEEK: dict[str, Any] = {
    "num_hidden_layers": 61,
    "num_attention_heads": 128,
    "num_key_value_heads": 128,
    "kv_lora_rank": 512,
    "qk_nope_head_dim": 128,
    "qk_rope_head_dim": 64,
    "v_head_dim": 128,
}


def kv(**config: Any) -> int:
    return kv_bytes_per_token(config, dequantises=False)


def without(*names: str) -> dict[str, Any]:
    return {name: value for name, value in LLAMA_1B.items() if name not in names}


def test_a_token_takes_keys_and_values_in_every_layer() -> None:
    assert kv(**LLAMA_1B) == 16 * 2 * 8 * 64 * 2


def test_a_machine_that_dequantises_keeps_full_precision() -> None:
    assert kv_bytes_per_token(LLAMA_1B, dequantises=True) == 2 * kv(**LLAMA_1B)


def bits(bits: int, dequantises: bool = False, **config: Any) -> int:
    return kv_bytes_per_token(LLAMA_1B | config, dequantises=dequantises, kv_bits=bits)


def test_quantised_caches_take_their_bits_with_scales_and_biases_and_the_last_layer_is_whole() -> None:
    numbers = 2 * 8 * 64
    for dequantises, size in ((False, 2), (True, 4)):
        for kv_bits in (8, 4):
            group = numbers // 64 * 2 * size
            packed = 15 * (numbers * kv_bits // 8 + group)
            copy = numbers * size * (3 if kv_bits == 4 else 2) // 2  # of one layer, which attention reads
            assert bits(kv_bits, dequantises) == packed + numbers * size + copy


def test_half_the_bits_are_really_half_the_bytes() -> None:
    deep: dict[str, Any] = {"num_hidden_layers": 48}
    whole = bits(0, **deep)
    assert bits(8, **deep) < 0.57 * whole and bits(4, **deep) < 0.33 * whole
    whole, eight, four = (bits(kv_bits, dequantises=True, **deep) for kv_bits in (0, 8, 4))
    assert eight < 0.32 * whole and four < 0.21 * whole


@each(
    "config",
    [
        {"model_type": "gpt_oss"},
        {"text_config": {"model_type": "llama4_text"}, "model_type": "llama4"},
        {"head_dim": 80},
        {"num_hidden_layers": 2},
        {"sliding_window": 512, "layer_types": ["sliding_attention"] * 16},
        {"sliding_window_pattern": 16},
    ],
)
def test_a_cache_that_stays_whole_is_estimated_so(config: dict[str, Any]) -> None:
    assert bits(8, **config) == bits(0, **config)


@each(
    ("config", "quantised"),
    [
        ({"layer_types": ["sliding_attention", "full_attention"] * 8}, 7),
        ({"sliding_window_pattern": 4}, 3),
        ({"full_attention_interval": 2}, 7),
        ({"head_dim": 96}, 15),
    ],
)
def test_only_full_attention_counts_as_quantised(config: dict[str, Any], quantised: int) -> None:
    width, group = (96, 32) if config.get("head_dim") else (64, 64)
    whole = 2 * 8 * width * 2
    packed = whole // 2 + 2 * whole // group
    assert bits(8, **config) == (17 - quantised) * whole + quantised * packed


def test_attention_over_quantised_keys_makes_its_scores() -> None:
    shape: dict[str, Any] = {"dequantises": False, "step": 512, "context_length": 4096}
    assert prefill_bytes(LLAMA_1B, **shape, kv_bits=8) - prefill_bytes(LLAMA_1B, **shape) == (
        512 * 4096 * 32 * 2
    )


def test_a_multimodal_model_is_its_language_model() -> None:
    assert kv(model_type="llava", hidden_size=1, text_config=LLAMA_1B) == kv(**LLAMA_1B)


@each("missing", ["num_key_value_heads", "head_dim", "num_attention_heads", "num_hidden_layers"])
def test_a_missing_figure_is_guessed_upwards(missing: str) -> None:
    assert kv(**LLAMA_1B) <= kv(**without(missing)) <= 8 * kv(**LLAMA_1B)


def test_heads_that_are_not_given_are_as_wide_as_the_hidden_size() -> None:
    bare = without("num_key_value_heads", "head_dim", "num_attention_heads")
    assert kv(**bare) == 16 * 2 * 2048 * 2


def test_sliding_windows_and_recurrent_layers_count_as_full_attention() -> None:
    sliding = LLAMA_1B | {"sliding_window": 512, "layer_types": ["linear_attention"] * 16}
    assert kv(**sliding) == kv(**LLAMA_1B)


def test_figures_given_per_layer_count_with_the_largest() -> None:
    openelm = {"num_transformer_layers": 4, "num_kv_heads": [1, 2, 2, 4], "head_dim": 64, "model_dim": 1280}
    assert kv(**openelm) == 4 * 2 * 4 * 64 * 2


def test_the_wider_of_two_kinds_of_attention_counts() -> None:
    gemma = LLAMA_1B | {"global_head_dim": 512, "num_global_key_value_heads": 2}
    assert kv(**gemma) == 16 * 2 * 8 * 512 * 2


def test_latent_attention_counts_what_mlx_lm_keeps_of_it() -> None:
    assert kv(**DEEPSEEK, model_type="deepseek_v3") == 61 * (512 + 64) * 2
    assert kv(**DEEPSEEK, model_type="deepseek_v2") == 61 * 128 * (128 + 64 + 128) * 2


def test_a_chunk_of_prefill_takes_its_activations_and_one_row_of_logits() -> None:
    taken = prefill_bytes(LLAMA_1B, dequantises=False, step=512, context_length=131072)
    assert taken == (512 * (12 * 2048 + 4 * 8192) + 128256 + 8192 * 2 * 8 * 64) * 2


def test_without_fused_attention_the_scores_come_on_top() -> None:
    facts = {"dequantises": True, "step": 512}
    short, long = (prefill_bytes(LLAMA_1B, context_length=n, **facts) for n in (2048, 4096))  # type: ignore[arg-type]
    assert long - short == (32 * 512 + 2 * 8 * 64) * 2048 * 4


def test_the_longest_contexts_do_not_keep_a_model_from_loading() -> None:
    facts = {"dequantises": True, "step": 512}
    long, longest = (prefill_bytes(LLAMA_1B, context_length=n, **facts) for n in (8192, 2**20))  # type: ignore[arg-type]
    assert long == longest


def test_a_context_shorter_than_a_chunk_bounds_it() -> None:
    facts = {"dequantises": False, "context_length": 64}
    assert prefill_bytes(LLAMA_1B, step=512, **facts) == prefill_bytes(LLAMA_1B, step=64, **facts)  # type: ignore[arg-type]


def test_a_token_of_a_mixture_visits_several_experts() -> None:
    mixture = LLAMA_1B | {"moe_intermediate_size": 2048, "num_experts_per_tok": 8, "n_shared_experts": 1}
    more = prefill_bytes(mixture, dequantises=False, step=512, context_length=4096)
    less = prefill_bytes(LLAMA_1B, dequantises=False, step=512, context_length=4096)
    assert more - less == 512 * 4 * (9 * 2048 - 8192) * 2


ODD = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.lists(st.integers()), st.just({})
)


@given(st.dictionaries(st.sampled_from([*LLAMA_1B, *DEEPSEEK, "text_config", "model_type"]), ODD))
def test_whatever_a_config_says_the_guess_is_a_number_that_can_be_sent(config: dict[str, Any]) -> None:
    guesses = (
        kv_bytes_per_token(config, dequantises=True),
        prefill_bytes(config, dequantises=True, step=512, context_length=2**31 - 1),
    )
    assert all(0 < guess < 2**63 for guess in guesses)


# What MLX 0.32 took on a CPU, in MB, for one chunk of 512 tokens at the end of so many.
TAKEN = {"smol": {512: 35.4, 1024: 43.9, 2048: 65.7, 3072: 85.9}, "wide": {512: 142.0, 3072: 313.1}}
SMOL: dict[str, Any] = {
    "hidden_size": 576,
    "intermediate_size": 1536,
    "num_hidden_layers": 30,
    "num_attention_heads": 9,
    "num_key_value_heads": 3,
    "vocab_size": 49152,
}


@pytest.mark.parametrize(("name", "config"), [("smol", SMOL), ("wide", LLAMA_1B)])
def test_the_guess_is_just_above_what_was_measured(name: str, config: dict[str, Any]) -> None:
    for context, taken in TAKEN[name].items():
        guess = prefill_bytes(config, dequantises=True, step=512, context_length=context) / 1e6
        assert taken <= guess <= 1.1 * taken
