"""Which reasoning fields a model's chat template follows, read from its files: it need not be loaded."""

from msgspec import Struct

from inference.adapters.chat_template.template_input import variables_of
from inference.adapters.thinking import EFFORT, KNOWN_EFFORTS, SWITCHES
from inference.serving.model_details import ModelDetails

_EFFORTS = ("minimal", "low", "medium", "high", "xhigh", "max")
_MARK = "think>"  # of `<think>` and `</think>`


class ThinkingSupport(Struct, frozen=True, kw_only=True):
    """Which of the reasoning fields of a request change the answers of a model."""

    can_reason: bool = False
    has_switch: bool = False  # the template has a variable that turns reasoning on and off
    efforts: tuple[str, ...] = ()  # those that the template knows; none: it has no variable for them


def read(details: ModelDetails) -> ThinkingSupport:
    """The support of the model with these details; a model without a chat template has none."""
    template = details.template
    variables = variables_of(template)
    literals = {one for one in _EFFORTS if f"'{one}'" in template or f'"{one}"' in template}
    known = [one for one in _EFFORTS if one in literals.union(KNOWN_EFFORTS)]
    return ThinkingSupport(
        can_reason="thinking" in details.capabilities or _MARK in template,
        has_switch=bool(SWITCHES & variables),
        efforts=tuple(known) if EFFORT in variables else (),
    )
