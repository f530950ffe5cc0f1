"""What the self-test of a loaded model finds, on real templates and on broken ones."""

import pytest

from inference.adapters.self_test import findings
from tests.adapters.family_models import make, real
from tests.each import each
from tests.tiny import CHATML, LLAMA_3

_EACH = "{% for message in messages %}"


def _without(role: str, template: str) -> str:
    return template.replace(_EACH, f"{{% for message in messages if message['role'] != '{role}' %}}")


def _raising(when: str, why: str) -> str:
    return f"{{% if {when} %}}{{{{ raise_exception('{why}') }}}}{{% endif %}}"


def _calling(written: str) -> str:
    return (
        "{% for tool in tools or [] %}{{ tool | tojson }}{% endfor %}"
        "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}"
        f"{{% for call in message.tool_calls or [] %}}{written}{{% endfor %}}<|im_end|>\n{{% endfor %}}"
    )


_NAME = '"name": "{{ call.function.name }}"'
_ARGUMENTS = '"arguments": {{ call.function.arguments | tojson }}'
_WRITTEN = f"<tool_call>\n{{{_NAME}, {_ARGUMENTS}}}\n</tool_call>"
NO_SYSTEM = _raising("messages[0]['role'] == 'system'", "no system") + CHATML
ONE_QUESTION = CHATML + _raising("messages | length > 1", "one question only")
BROKEN = _raising("true", "out of order")
FORGETS_SYSTEM = _without("system", CHATML)
TOOLS = _calling(_WRITTEN)
FORGETS_CALLS = _calling("") + "{# <tool_call> #}"
FORGETS_RESULTS = _without("tool", TOOLS)


def lights(template: str) -> dict[str, str]:
    return {finding.about: finding.light for finding in findings(*make(template))}


@pytest.mark.parametrize(("name", "model_type"), [("qwen3", "qwen3"), ("mistral_nemo", "mistral")])
def test_real_models_are_all_right(name: str, model_type: str) -> None:
    assert findings(*real(name, model_type)) == ()


@each(
    ("template", "found"),
    [
        (NO_SYSTEM, {}),
        (FORGETS_SYSTEM, {}),
        (ONE_QUESTION, {"chat": "amber", "stops": "amber", "tools": "red"}),
        (TOOLS, {}),
        (FORGETS_CALLS, {"tools": "red"}),
        (FORGETS_RESULTS, {"tools": "red"}),
    ],
)
def test_what_a_template_does_wrong_is_found(template: str, found: dict[str, str]) -> None:
    shown = lights(template)
    assert {about: shown[about] for about in shown if (about, shown[about]) != ("tools", "amber")} == found


@pytest.mark.parametrize("template", [CHATML, LLAMA_3])
def test_tools_in_a_system_message_are_amber(template: str) -> None:
    assert lights(template) == {"tools": "amber"}


def test_a_template_that_cannot_be_rendered_is_red() -> None:
    assert lights(BROKEN)["chat"] == "red"


def test_a_model_without_a_template_completes_prompts() -> None:
    assert lights("")["chat"] == "amber"
    assert "tools" not in lights("")


def test_findings_are_sentences_for_the_models_owner() -> None:
    texts = [finding.text for template in (BROKEN, ONE_QUESTION) for finding in findings(*make(template))]
    assert any("out of order" in text for text in texts)
