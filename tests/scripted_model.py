"""A real model whose answers are known: each of its tokens decides the next one.

What a client receives from it is the same on every machine. Whatever is asked, it answers:

- a chat with `World`, and a chat whose last message has the word "forever" with `ababab...`, without end;
- a chat with tools with a call of `set_light`, and the result of a call with `Light`;
- an object of a boolean `on`, which a grammar spells, with `{"on": true}`.

Its attention and its feed-forward weights are zero, so its hidden state is the last token itself, for which
the output matrix has the logits of the next.
"""

import json
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file
from tokenizers import AddedToken, Tokenizer

from tests.tiny import make_tokenizer

ANSWER, AFTER_RESULT, ARGUMENTS = "World", "Light", '{"on": true}'
TOOL = "set_light"
_CALL = f'\n{{"name": "{TOOL}", "arguments": {ARGUMENTS}}}\n'
_SPECIAL = ("<|im_start|>", "<|im_end|>", "<tool_call>", "</tool_call>")
_END = "<|im_end|>"
# The prompt's last token decides the answer: each kind of answer has a token of its own.
_BEGINS_ANSWER, _BEGINS_CALL, _BEGINS_AFTER_RESULT, _BEGINS_ENDLESS = "0", "1", "2", "3"
_TEMPLATE = (
    "{% if tools %}<|im_start|>system\n<tools>"
    "{% for tool in tools %}{{ tool | tojson }}\n{% endfor %}</tools><|im_end|>\n{% endif %}"
    "{% for message in messages %}<|im_start|>{{ message.role }}\n"
    "{% if message.content %}{{ message.content }}{% endif %}"
    "{% for call in message.tool_calls or [] %}"
    '<tool_call>\n{"name": "{{ call.function.name }}", "arguments": {{ call.function.arguments | tojson }}}\n'
    "</tool_call>{% endfor %}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant"
    "{% set last = messages[-1] %}"
    "{% if last.role == 'tool' %}2{% elif tools %}1"
    "{% elif last.content and 'forever' in last.content %}3{% else %}0{% endif %}{% endif %}"
)
_CONTEXT, _HIDDEN, _HEADS = 16_384, 320, 4
_NEXT, _ENDING = 60.0, 20.0  # logits; all others are 0


def make_scripted_model(folder: Path) -> Path:
    """Write the model's folder."""
    folder.mkdir(parents=True)
    tokenizer = make_tokenizer(_SPECIAL)
    tokenizer.add_tokens([AddedToken(_CALL, normalized=False)])
    tokenizer.save(str(folder / "tokenizer.json"))
    vocabulary = tokenizer.get_vocab_size()
    save_file(_weights(tokenizer), str(folder / "model.safetensors"), metadata={"format": "mlx"})
    _write(folder / "config.json", _config(vocabulary, tokenizer.get_vocab()[_END]))
    _write(
        folder / "tokenizer_config.json",
        {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "eos_token": _END,
            "chat_template": _TEMPLATE,
        },
    )
    return folder


def _chains(tokenizer: Tokenizer) -> list[list[int]]:
    """Lists of tokens in which each is followed by the next."""

    def ids(*texts: str) -> list[int]:
        return [token for text in texts for token in tokenizer.encode(text, add_special_tokens=False).ids]

    return [
        ids(_BEGINS_ANSWER, ANSWER, _END),
        ids(_BEGINS_CALL, "<tool_call>", _CALL, "</tool_call>", _END),
        ids(_BEGINS_AFTER_RESULT, AFTER_RESULT, _END),
        ids(_BEGINS_ENDLESS, "aba"),
        ids(" t"),  # a grammar spells the object: its value is true,
        ids("e}"),  # and nothing follows on it
    ]


def _weights(tokenizer: Tokenizer) -> dict[str, "np.ndarray[tuple[int, ...], np.dtype[np.float32]]"]:
    vocabulary = tokenizer.get_vocab_size()
    output = np.zeros((vocabulary, _HIDDEN), dtype=np.float32)
    output[tokenizer.token_to_id(_END), :vocabulary] = _ENDING
    for chain in _chains(tokenizer):
        for token, following in zip(chain, chain[1:], strict=False):
            output[following, token] = _NEXT
    layer = "model.layers.0"
    zeros = [f"{layer}.self_attn.{name}_proj.weight" for name in "qkvo"]
    zeros += [f"{layer}.mlp.{name}_proj.weight" for name in ("gate", "up", "down")]
    norms = ["model.norm", f"{layer}.input_layernorm", f"{layer}.post_attention_layernorm"]
    # The norm of a hidden state with a single 1 multiplies it by the root of its size.
    return (
        {name: np.zeros((_HIDDEN, _HIDDEN), dtype=np.float32) for name in zeros}
        | {f"{name}.weight": np.ones(_HIDDEN, dtype=np.float32) for name in norms}
        | {
            "model.embed_tokens.weight": np.eye(vocabulary, _HIDDEN, dtype=np.float32),
            "lm_head.weight": output / np.float32(np.sqrt(_HIDDEN)),
        }
    )


def _config(vocabulary: int, end: int) -> dict[str, object]:
    return {
        "model_type": "llama",
        "hidden_size": _HIDDEN,
        "intermediate_size": _HIDDEN,
        "num_hidden_layers": 1,
        "num_attention_heads": _HEADS,
        "num_key_value_heads": _HEADS,
        "rms_norm_eps": 1e-5,
        "rope_theta": 10000.0,
        "vocab_size": vocabulary,
        "max_position_embeddings": _CONTEXT,
        "tie_word_embeddings": False,
        "eos_token_id": end,
    }


def _write(path: Path, value: dict[str, object]) -> None:
    path.write_text(json.dumps(value, indent=1))
