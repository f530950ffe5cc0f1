"""Tool calls in the harmony format of gpt-oss, and the grammar of an answer that has one."""

import json
from collections.abc import Sequence

from inference.adapters.tool_calls.tool_format import ToolFormat, arguments_rule
from inference.core.requests import Tool

START, CHANNEL, MESSAGE = "<|start|>", "<|channel|>", "<|message|>"
END, CONSTRAIN = "<|end|>", "<|constrain|>"
MARKS = (START, CHANNEL, MESSAGE, END, CONSTRAIN)


class HarmonyCalls(ToolFormat):
    """commentary to=functions.NAME, and the arguments as the message; one call in an answer."""

    name = "harmony"
    begin = " to=functions."
    is_bare = True  # the recipient has no marker of its own

    @property
    def marks(self) -> tuple[str, ...]:
        return MARKS

    def lark(self, tools: Sequence[Tool], several: bool) -> str:
        rules = []
        channel, constrain, message = map(self._mark_rule, (CHANNEL, CONSTRAIN, MESSAGE))
        for place, tool in enumerate(tools):
            recipient = json.dumps(f"commentary to=functions.{tool.name} ")
            header = f'{channel} {recipient} {constrain} "json" {message}'
            rules.append(f"call_{place}: {header} arguments_{place}")
            rules.append(f"arguments_{place}: {arguments_rule(tool)}")
        calls = " | ".join(f"call_{place}" for place in range(len(tools)))
        return "\n".join([f"start: {self._analysis()} ({calls})", *rules]) + "\n"

    def final_message(self, rule: str) -> str:
        """An answer whose text follows this rule."""
        return f'{self._analysis()} {self._mark_rule(CHANNEL)} "final" {self._mark_rule(MESSAGE)} {rule}'

    def _analysis(self) -> str:
        """A message with reasoning, or none; no marker may be spelled in it."""
        end = self._mark_rule(END)
        text = "/([^<]|<+[^<|])*<*/" if end.startswith("<[") else "/[^<]*/"
        opened = f'{self._mark_rule(CHANNEL)} "analysis" {self._mark_rule(MESSAGE)} {text} {end}'
        return f'({opened} {self._mark_rule(START)} "assistant")?'
