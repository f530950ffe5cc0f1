"""A tiny model that follows a script: it calls the tool that a client offers, then answers the result.

Its weights hold one successor for each token of the script. The chat template ends a prompt with the token
that begins the right part of it, so the answer is the same at any temperature and after any prompt.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file
from tokenizers import AddedToken, Tokenizer

HIDDEN, FFN, HEADS = 64, 64, 4
_CERTAIN = 8.0  # logit of a successor over all others, times sqrt(HIDDEN)
END = "<|im_end|>"
_TEMPLATE = """\
{%- if tools %}{{- '<|im_start|>system\\n<tools>' }}
{%- for tool in tools %}{{- tool | tojson + '\\n' }}{%- endfor %}{{- '</tools><|im_end|>\\n' }}{%- endif %}
{%- for message in messages %}
    {{- '<|im_start|>' + message.role + '\\n' + (message.content or '') }}
    {%- for call in message.tool_calls or [] %}
        {{- '<tool_call>\\n{"name": "' + call.function.name + '", "arguments": ' }}
        {{- (call.function.arguments | tojson) + '}\\n</tool_call>' }}
    {%- endfor %}
    {{- '<|im_end|>\\n' }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
    {%- set plan = namespace(begin='<|script_plain|>') %}
    {%- if messages[-1].role == 'tool' %}{%- set plan.begin = '<|script_result|>' %}{%- else %}
CHOICES
    {%- endif %}
    {{- plan.begin }}
{%- endif %}"""
_CHOICE = """\
        {{%- for tool in tools or [] %}}
            {{%- if tool.function.name == {name} and {parameter} in tool.function.parameters.properties %}}
                {{%- set plan.begin = '<|script_{index}|>' %}}
            {{%- endif %}}
        {{%- endfor %}}"""


@dataclass(frozen=True)
class Call:
    """A call that the model makes if a tool has this name and the first argument as a parameter."""

    name: str
    arguments: dict[str, Any]

    @property
    def text(self) -> str:
        body = json.dumps({"name": self.name, "arguments": self.arguments})
        return f"<tool_call>\n{body}\n</tool_call>"


@dataclass(frozen=True)
class Script:
    """The texts of the three kinds of answers, in pieces of a token each."""

    calls: Sequence[Call] = ()
    result: Sequence[str] = ("The tool ", "has answered.")
    plain: Sequence[str] = ("This is ", "a plain answer.")

    def parts(self) -> dict[str, Sequence[str]]:
        """The token that begins each part, and the pieces that follow it."""
        calls = {f"<|script_{index}|>": [call.text] for index, call in enumerate(self.calls)}
        return {"<|script_plain|>": self.plain, "<|script_result|>": self.result} | calls

    def template(self) -> str:
        """The chat template that chooses a part; of several calls that fit, the last is made."""
        choices = [
            _CHOICE.format(name=repr(call.name), parameter=repr(next(iter(call.arguments))), index=index)
            for index, call in enumerate(self.calls)
        ]
        return _TEMPLATE.replace("CHOICES", "\n".join(choices))


def make_scripted_model(folder: Path, tokenizer: Tokenizer, script: Script, *, context: int) -> Path:
    """Write the model's folder; `tokenizer` has the ChatML tokens and gets those of the script."""
    folder.mkdir(parents=True, exist_ok=True)
    parts = script.parts()
    tokenizer.add_special_tokens(list(parts))
    pieces = [piece for part in parts.values() for piece in part]
    tokenizer.add_tokens([AddedToken(piece, normalized=False, special=False) for piece in pieces])
    tokenizer.save(str(folder / "tokenizer.json"))
    vocabulary = tokenizer.get_vocab()
    chains = [[vocabulary[text] for text in (begin, *part, END)] for begin, part in parts.items()]
    weights = _weights(tokenizer.get_vocab_size(), chains)
    save_file(weights, str(folder / "model.safetensors"), metadata={"format": "mlx"})
    config = _config(tokenizer.get_vocab_size(), context, vocabulary[END])
    (folder / "config.json").write_text(json.dumps(config))
    details = {"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": END, "bos_token": "<|im_start|>"}
    details |= {"chat_template": script.template()}
    (folder / "tokenizer_config.json").write_text(json.dumps(details))
    return folder


def _config(vocabulary: int, context: int, end: int) -> dict[str, object]:
    return {
        "model_type": "llama",
        "hidden_size": HIDDEN,
        "intermediate_size": FFN,
        "num_hidden_layers": 1,
        "num_attention_heads": HEADS,
        "num_key_value_heads": 1,
        "rms_norm_eps": 1e-5,
        "vocab_size": vocabulary,
        "max_position_embeddings": context,
        "tie_word_embeddings": False,
        "eos_token_id": end,
    }


def _weights(vocabulary: int, chains: Sequence[Sequence[int]]) -> dict[str, Any]:
    """One layer that adds nothing, and a head that maps each token of a chain to the next one."""
    embeddings = np.random.default_rng(0).standard_normal((vocabulary, HIDDEN)) * 0.02
    head = np.zeros((vocabulary, HIDDEN))
    steps = [pair for chain in chains for pair in zip(chain, chain[1:], strict=False)]
    for dimension, (token, successor) in enumerate(steps):
        embeddings[token] = np.eye(HIDDEN)[dimension]
        head[successor, dimension] = _CERTAIN
    layer = "model.layers.0"
    shapes = {
        "self_attn.q_proj": (HIDDEN, HIDDEN),
        "self_attn.k_proj": (HIDDEN // HEADS, HIDDEN),
        "self_attn.v_proj": (HIDDEN // HEADS, HIDDEN),
        "self_attn.o_proj": (HIDDEN, HIDDEN),
        "mlp.gate_proj": (FFN, HIDDEN),
        "mlp.up_proj": (FFN, HIDDEN),
        "mlp.down_proj": (HIDDEN, FFN),
    }
    made: dict[str, np.ndarray[Any, Any]]
    made = {f"{layer}.{name}.weight": np.zeros(shape) for name, shape in shapes.items()}
    norms = ("model.norm", f"{layer}.input_layernorm", f"{layer}.post_attention_layernorm")
    made |= {f"{name}.weight": np.ones(HIDDEN) for name in norms}
    made |= {"model.embed_tokens.weight": embeddings, "lm_head.weight": head}
    return {name: array.astype(np.float32) for name, array in made.items()}
