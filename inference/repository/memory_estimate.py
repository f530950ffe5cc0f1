"""How much memory a model will take, guessed from its small files before anything is loaded.

Every estimate errs upwards: the worker's report corrects one that is too high, but comes too late for one
that is too low.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from inference.repository.files.safetensors import Tensor

_FP32 = 4
_HALF = 2
_PACKED_BITS = 32  # packed weights are uint32 words
_LARGEST = 2**24  # a config.json may claim anything
_MOST_BYTES = 2**60
_HIDDEN = 4096  # where the config has none
_LEAST_LAYERS = 32
_LAYERS_PER_HIDDEN = 1 / 64
# Measured on MLX 0.32 with two shapes of llama, from 512 to 3072 tokens: 3 to 8 % above what was taken.
_ACTIVATIONS = 12  # the residual, its norm, queries, keys, values, what attention gives, and their copies
_GATED = 4  # gate, up, their product and a copy
_SCORED_CONTEXT = 8192
_LOOKS_BOTH_WAYS = frozenset({"bert", "roberta", "xlm-roberta"})
# Of these mlx-lm 0.32 keeps the latents; of others with latent attention the full keys and values.
_KEEPS_LATENTS = frozenset(
    {
        *("deepseek_v3", "deepseek_v32", "glm4_moe_lite", "glm_moe_dsa", "kimi_k2", "kimi_k3", "kimi_linear"),
        *("kimi_vl", "mistral4"),
    }
)

# Their KV caches stay whole: attention sinks, windows, or caches that mlx-lm's model reads itself.
_KEEPS_WHOLE = frozenset(
    {
        *("baichuan_m1", "deepseek_v32", "deepseek_v41", "falcon_h1", "glm_moe_dsa", "gpt_oss", "llama4"),
        *("longcat_flash", "longcat_flash_ngram", "mimo_v2_flash", "minimax_m3_vl"),
    }
)
# Fields of models that have windows or recurrent states in layers that the config names in ways of its own.
_OTHER_LAYERS = ("sliding_window", "hybrid_override_pattern", "layers_block_type", "attn_layer_indices")


def weight_bytes(tensors: Iterable[Tensor], config: Mapping[str, Any], *, dequantises: bool) -> int:
    """Bytes of the weights once loaded: as stored on a GPU, as fp32 where the worker dequantises."""
    tensors = list(tensors)
    if not dequantises:
        return sum(tensor.bytes for tensor in tensors)
    quantised = {t.name.removesuffix(".scales") for t in tensors if t.name.endswith(".scales")}
    total = 0
    for tensor in tensors:
        layer, _, part = tensor.name.rpartition(".")
        if layer in quantised and part in {"scales", "biases"}:
            continue
        is_packed = layer in quantised and tensor.dtype == "U32"
        items = tensor.items * _PACKED_BITS // _bits(config, layer) if is_packed else tensor.items
        total += items * _FP32
    return total


def undivided_bytes(tensors: Iterable[Tensor], config: Mapping[str, Any], *, dequantises: bool) -> int:
    """The bytes that each rank of a model holds: what is outside of the layers, and their vectors."""
    whole = [one for one in tensors if ".layers." not in f".{one.name}" or len(one.shape) < 2]
    return weight_bytes(whole, config, dequantises=dequantises)


def has_undivided_kv(config: Mapping[str, Any]) -> bool:
    """Whether each rank of a model holds its whole KV caches: heads share the latents."""
    return _latents(_text_config(config)) > 0


def parameter_count(tensors: Iterable[Tensor], config: Mapping[str, Any]) -> int:
    """How many numbers the weights are, quantised ones counted as what they stand for."""
    return weight_bytes(tensors, config, dequantises=True) // _FP32


def layer_shapes(tensors: Iterable[Tensor], config: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
    """Rows and columns of the matrices among the weights, packed ones as what they stand for, by layer.

    Matrices of experts that lie in one tensor have their number before them.
    """
    found: dict[str, tuple[int, ...]] = {}
    for tensor in tensors:
        layer, _, part = tensor.name.rpartition(".")
        if part == "weight" and len(tensor.shape) in (2, 3):
            *rows, columns = tensor.shape
            is_packed = tensor.dtype == "U32"
            found[layer] = (*rows, columns * _PACKED_BITS // _bits(config, layer) if is_packed else columns)
    return found


def quantization(tensors: Iterable[Tensor], config: Mapping[str, Any]) -> str:
    """How the weights are stored: the bits of a quantised model, else the type of most numbers."""
    settings = config.get("quantization") or config.get("quantization_config")
    if isinstance(settings, dict) and type(settings.get("bits")) is int:
        return f"{settings['bits']}bit"
    sizes: Counter[str] = Counter()
    for tensor in tensors:
        sizes[tensor.dtype] += tensor.bytes
    return sizes.most_common(1)[0][0] if sizes else ""


def kv_bytes_per_token(config: Mapping[str, Any], *, dequantises: bool, kv_bits: int = 0) -> int:
    """What one token of one sequence adds to the KV cache: layers x (keys + values) x bytes of a number.

    Every layer counts as one of full attention. Sliding windows stop growing and recurrent layers never
    grow, so of such models this is too much for long sequences. Where the heads are not given they are
    taken to be as wide as the hidden size, which is true without grouped queries and too much with them.

    With `kv_bits`, layers that the worker quantises (kv_quantization/plan.py) count as so many bits a number,
    with a scale and a bias for each group, and an unpacked copy of one layer is added.
    """
    text = _text_config(config)
    layers = _layers(text)
    numbers = _latents(text) or _keys_and_values(text)
    whole = numbers * _number_bytes(dequantises)
    if kv_bits and (group := _group_size(text)):
        quantised = 0 if config.get("model_type") in _KEEPS_WHOLE else _quantised_layers(text)
        packed = numbers * kv_bits // 8 + 2 * whole // group
        copy = whole * 3 // 2 if kv_bits == 4 else whole
        # A worker quantises nothing where that takes more.
        return min((layers - quantised) * whole + quantised * packed + copy, layers * whole, _MOST_BYTES)
    return min(layers * whole, _MOST_BYTES)


def prefill_bytes(
    config: Mapping[str, Any], *, dequantises: bool, step: int, context_length: int, kv_bits: int = 0
) -> int:
    """What computing one chunk of `step` prompt tokens takes for a moment, beside weights and KV cache.

    One layer at a time: step x (12 x hidden + 4 x intermediate), a copy of the layer's keys and values, and
    one row of logits, for only the last token's are computed. There is no fused attention on a CPU and for
    quantised keys: the scores are made, heads x step x context; the context counts up to 8192 tokens, since
    few prompts are longer and their scores show in the worker's report, while the longest would keep most
    models from loading at all.
    """
    text = _text_config(config)
    step = min(step, context_length)
    numbers = step * (_ACTIVATIONS * _hidden(text) + _GATED * _intermediate(text)) + _number(
        text, "vocab_size"
    )
    before = min(context_length, _SCORED_CONTEXT)
    numbers += before * (_latents(text) or _keys_and_values(text))
    if dequantises or kv_bits:
        numbers += before * _heads(text) * step
    return min(numbers * _number_bytes(dequantises), _MOST_BYTES)


def embedding_bytes(config: Mapping[str, Any], *, dequantises: bool, step: int, context_length: int) -> int:
    """What computing one piece of an embedding model's inputs takes, beside the weights.

    A row longer than `step` is computed in chunks where the model looks back only, over a cache of those
    before it; BERT looks both ways and takes it at once.
    """
    is_causal = str(config.get("model_type")) not in _LOOKS_BOTH_WAYS
    step = step if is_causal else max(step, context_length)
    kept = kv_bytes_per_token(config, dequantises=dequantises) * max(step, context_length) if is_causal else 0
    # prefill_bytes caps a step at the context, but several short rows make one together.
    length = max(step, context_length)
    return min(
        kept + prefill_bytes(config, dequantises=dequantises, step=step, context_length=length), _MOST_BYTES
    )


def _number_bytes(dequantises: bool) -> int:
    return _FP32 if dequantises else _HALF


def _text_config(config: Mapping[str, Any]) -> Mapping[str, Any]:
    """The language model's part of a multimodal model, with the outer figures where it has none."""
    for name in ("text_config", "llm_config", "language_config"):
        inner = config.get(name)
        if isinstance(inner, dict):
            return {**config, **inner}
    return config


def _number(config: Mapping[str, Any], *names: str) -> int:
    """The first of these figures that makes sense, 0 when none does; of one per layer the largest."""
    for name in names:
        given = config.get(name)
        figures = given if isinstance(given, list) else [given]
        sound = [figure for figure in figures if type(figure) is int and 0 < figure <= _LARGEST]
        if sound:
            return max(sound)
    return 0


def _hidden(text: Mapping[str, Any]) -> int:
    return _number(text, "hidden_size", "n_embd", "d_model", "model_dim", "dim") or _HIDDEN


def _layers(text: Mapping[str, Any]) -> int:
    given = _number(text, "num_hidden_layers", "n_layer", "n_layers", "num_layers", "num_transformer_layers")
    return given or max(_LEAST_LAYERS, int(_hidden(text) * _LAYERS_PER_HIDDEN))


def _heads(text: Mapping[str, Any]) -> int:
    given = _number(text, "num_attention_heads", "n_head", "n_heads", "num_query_heads", "num_heads")
    return given or max(1, _hidden(text) // 64)


def _keys_and_values(text: Mapping[str, Any]) -> int:
    """Numbers one layer keeps of one token."""
    latent_key = _number(text, "qk_nope_head_dim") + _number(text, "qk_rope_head_dim")
    if latent_key:
        return _heads(text) * (latent_key + (_number(text, "v_head_dim") or latent_key))
    heads = _number(text, "num_key_value_heads", "n_kv_heads", "num_kv_heads")
    width = _number(text, "head_dim", "kv_channels", "attention_head_dim")
    heads = max(heads, _number(text, "num_global_key_value_heads")) or _heads(text)  # Gemma 4 has two kinds
    width = max(width, _number(text, "global_head_dim")) or -(-_hidden(text) // _heads(text))
    return 2 * heads * width


def _latents(text: Mapping[str, Any]) -> int:
    """Numbers one layer of multi-head latent attention keeps; 0 where full keys and values are kept."""
    if str(text.get("model_type")) not in _KEEPS_LATENTS:
        return 0
    rank = _number(text, "kv_lora_rank")
    return rank and rank + _number(text, "qk_rope_head_dim") + 2 * _number(text, "index_head_dim")


def _quantised_layers(text: Mapping[str, Any]) -> int:
    """Layers whose KV cache a worker can quantise, or fewer: of full attention, without the last of them."""
    if str(text.get("model_type")) in _KEEPS_WHOLE:
        return 0
    layers = _layers(text)
    kinds = text.get("layer_types")
    pattern = _number(text, "sliding_window_pattern", "_sliding_window_pattern", "full_attention_interval")
    if isinstance(kinds, list):
        layers = sum(kind == "full_attention" for kind in kinds)
    elif pattern:
        layers //= pattern
    elif any(text.get(name) for name in _OTHER_LAYERS):
        layers = 0
    return max(layers - 1, 0)


def _group_size(text: Mapping[str, Any]) -> int:
    """Numbers that share a scale in a quantised KV cache; 0 where the heads cannot be grouped."""
    rank = _latents(text) and _number(text, "kv_lora_rank")
    latent_key = _number(text, "qk_nope_head_dim") + _number(text, "qk_rope_head_dim")
    width = _number(text, "head_dim", "kv_channels", "attention_head_dim")
    sizes = (
        (rank, _number(text, "qk_rope_head_dim"))
        if rank
        else (latent_key, _number(text, "v_head_dim") or latent_key)
        if latent_key
        else (width or -(-_hidden(text) // _heads(text)), _number(text, "global_head_dim"))
    )
    return next((group for group in (64, 32) if all(size % group == 0 for size in sizes)), 0)


def _intermediate(text: Mapping[str, Any]) -> int:
    """The feed-forward's width for one token: the dense one, or all experts that one token visits."""
    dense = _number(text, "intermediate_size", "ffn_hidden_size", "n_inner", "hidden_dim")
    expert = _number(text, "moe_intermediate_size")
    visited = _number(text, "num_experts_per_tok", "num_experts_per_token", "moe_top_k") or 1
    shared = _number(text, "n_shared_experts", "num_shared_experts")
    return max(dense, expert * (visited + shared)) or 4 * _hidden(text)


def _bits(config: Mapping[str, Any], layer: str) -> int:
    quantisation = config.get("quantization")
    if not isinstance(quantisation, dict):
        return 4
    own = quantisation.get(layer)
    bits = (own if isinstance(own, dict) else quantisation).get("bits", quantisation.get("bits"))
    return bits if type(bits) is int and 1 <= bits <= 8 else 4
