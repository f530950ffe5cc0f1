"""What a chat template says about reasoning."""

from inference.serving.model_details import ModelDetails
from inference.serving.thinking_support import ThinkingSupport, read
from tests.each import each

QWEN = "{% if enable_thinking is defined and enable_thinking is false %}<think>\n\n</think>{% endif %}"
GPT_OSS = "{% if not reasoning_effort %}{% set reasoning_effort = 'medium' %}{% endif %}<|channel|>"
DEEPSEEK_R1 = "{{ messages[0].content.split('</think>')[-1] }}"
PLAIN = "{% for message in messages %}{{ message.content }}{% endfor %}"


@each(
    ("template", "capabilities", "expected"),
    [
        (QWEN, ("thinking",), ThinkingSupport(can_reason=True, has_switch=True)),
        (GPT_OSS, ("thinking",), ThinkingSupport(can_reason=True, efforts=("low", "medium", "high"))),
        (GPT_OSS + "'minimal'", (), ThinkingSupport(efforts=("minimal", "low", "medium", "high"))),
        (DEEPSEEK_R1, (), ThinkingSupport(can_reason=True)),
        (PLAIN, ("completion",), ThinkingSupport()),
        ("{% broken", (), ThinkingSupport()),
        ("", (), ThinkingSupport()),
    ],
)
def test_support_is_read_from_the_template(
    template: str, capabilities: tuple[str, ...], expected: ThinkingSupport
) -> None:
    assert read(ModelDetails(template=template, capabilities=capabilities)) == expected
