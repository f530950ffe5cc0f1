"""Entries of the hub's answer to a search, in the shape that huggingface.co sends with `expand`."""

from typing import Any

QWEN = "mlx-community/Qwen3-4B-4bit"


def entry(name: str = QWEN, **changes: Any) -> dict[str, Any]:
    """A quantised chat model of MLX, as of 2026."""
    usual = {
        "_id": "680fb1b3a1b2c3d4e5f60718",
        "id": name,
        "modelId": name,
        "cardData": {"license": "apache-2.0", "library_name": "mlx", "pipeline_tag": "text-generation"},
        "config": {
            "architectures": ["Qwen3ForCausalLM"],
            "model_type": "qwen3",
            "quantization_config": {"bits": 4, "group_size": 64},
            "tokenizer_config": {
                "chat_template": "{% if enable_thinking %}<think>{% endif %}<|im_start|>{{ tools }}",
                "eos_token": "<|im_end|>",
            },
        },
        "downloads": 123456,
        "gated": False,
        "lastModified": "2026-10-03T09:11:12.000Z",
        "library_name": "mlx",
        "likes": 42,
        "pipeline_tag": "text-generation",
        "safetensors": {"parameters": {"BF16": 10_000_000, "U32": 500_000_000}, "total": 510_000_000},
        "tags": ["mlx", "safetensors", "qwen3", "4-bit", "license:apache-2.0", "region:us"],
    }
    return usual | changes
