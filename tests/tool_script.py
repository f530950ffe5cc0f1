"""A tiny model that follows a script: it calls the tool that a client offers, then answers the result.

The chat template ends a prompt with the token that begins the right part of the script, so the answer is the
same at any temperature and after any prompt.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tokenizers import AddedToken, Tokenizer

from tests.chained_tokens import write_chained_model

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
    parts = script.parts()
    tokenizer.add_special_tokens(list(parts))
    pieces = [piece for part in parts.values() for piece in part]
    tokenizer.add_tokens([AddedToken(piece, normalized=False, special=False) for piece in pieces])
    vocabulary = tokenizer.get_vocab()
    chains = [[vocabulary[text] for text in (begin, *part, END)] for begin, part in parts.items()]
    return write_chained_model(
        folder, tokenizer, chains, template=script.template(), context=context, end=END
    )
