"""What a chat template supports is found out by rendering it."""

from collections.abc import Sequence

import pytest

from inference.adapters.chat_template.template_probes import TemplateProbes
from inference.core.errors import TemplateFailed
from inference.core.requests import Message, Tool


class Template:
    """Renders a line for each message; refuses the roles it does not have, and repetitions if it has to."""

    def __init__(self, roles: str = "system user assistant tool", *, alternates: bool = False) -> None:
        self._roles = roles.split()
        self._alternates = alternates

    def __call__(
        self, messages: Sequence[Message], tools: Sequence[Tool] = (), *, opens_answer: bool = True
    ) -> str:
        roles = [message.role for message in messages]
        repeats = any(one == other for one, other in zip(roles, roles[1:], strict=False))
        if set(roles) - set(self._roles) or (self._alternates and repeats):
            raise TemplateFailed("no")
        names = [call.name for message in messages for call in message.tool_calls]
        lines = [f"{message.role}: {message.content}<end>\n" for message in messages]
        return "".join([*(tool.name for tool in tools), *names, *lines, "assistant:" * opens_answer])


def test_a_template_that_takes_everything_supports_everything() -> None:
    probes = TemplateProbes(Template())
    assert probes.renders_tools and probes.renders_calls and probes.renders_calls_with_tools
    assert probes.accepts_system and probes.accepts_later_system and probes.accepts_consecutive_roles


def test_a_role_that_is_refused_is_not_supported() -> None:
    probes = TemplateProbes(Template("user assistant"))
    assert not (probes.accepts_system or probes.accepts_later_system or probes.renders_calls)
    assert probes.accepts_consecutive_roles


def test_a_template_that_requires_alternating_turns_is_found_out() -> None:
    assert not TemplateProbes(Template(alternates=True)).accepts_consecutive_roles


def test_the_texts_after_an_answer_are_those_at_the_end_and_before_the_next_turn() -> None:
    assert TemplateProbes(Template()).texts_after_answer() == ["<end>\n", "<end>\nuser: and<end>\n"]


@pytest.mark.parametrize("roles", ["", "user"])
def test_a_template_that_refuses_answers_has_none(roles: str) -> None:
    assert TemplateProbes(Template(roles)).texts_after_answer() == []


def test_a_template_that_leaves_texts_out_is_known() -> None:
    def parts_alone(
        messages: Sequence[Message], tools: Sequence[Tool] = (), *, opens_answer: bool = True
    ) -> str:
        return "user: "

    assert TemplateProbes(Template()).renders_text
    assert not TemplateProbes(parts_alone).renders_text
