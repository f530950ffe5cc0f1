"""A real model whose answers are known: each of its tokens decides the next one.

What a client receives from it is the same on every machine. Whatever is asked, it answers:

- a chat with `World`, and a chat whose last message has the word "forever" with `ababab...`, without end;
- a chat with tools with a call of `set_light`, and the result of a call with `Light`;
- an object of a boolean `on`, which a grammar spells, with `{"on": true}`.
"""

from pathlib import Path

from tokenizers import AddedToken, Tokenizer

from tests.chained_tokens import write_chained_model
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
_CONTEXT = 16_384


def make_scripted_model(folder: Path) -> Path:
    """Write the model's folder."""
    tokenizer = make_tokenizer(_SPECIAL)
    tokenizer.add_tokens([AddedToken(_CALL, normalized=False)])
    return write_chained_model(
        folder, tokenizer, _chains(tokenizer), template=_TEMPLATE, context=_CONTEXT, end=_END
    )


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
