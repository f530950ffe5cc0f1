"""The self-test in words: what works, what a model lacks, and what is a fault."""

from inference.core.model_card import Finding, Light
from inference.core.self_test_summary import NOT_TESTED, summary
from tests.each import each


def found(about: str, light: Light = "amber", text: str = "x") -> Finding:
    return Finding(light=light, about=about, text=text)  # type: ignore[arg-type]


@each(
    ("findings", "words", "tone"),
    [
        ((), "Works", "green"),
        ((found("speculation", "green"),), "Works", "green"),
        ((found("tools"),), "Works, without tools", "grey"),
        ((found("tools", text="so the system message describes them; calls"),),
         "Works, without tools of its own", "grey"),
        ((found("tools", "red"), found("roles")), "Works, without tools, without a system prompt", "grey"),
        ((found("tools"), found("stops")), "Works, without tools, answers may not end", "amber"),
        ((found("chat", "red"), found("tools")), "Cannot chat", "red"),
        ((found("speculation"),), "Works, with limits", "grey"),
    ],
)  # fmt: skip
def test_the_words_and_their_tone(findings: tuple[Finding, ...], words: str, tone: str) -> None:
    assert (summary(findings).text, summary(findings).tone) == (words, tone)


def test_each_limit_is_explained_after_what_was_found() -> None:
    texts = summary(
        [found("roles", text="It has no system role."), found("batch", "green", "never shown")]
    ).texts
    assert texts == ("It has no system role.", "A chat with a system prompt fails with this model.")


def test_a_model_that_was_not_tested_has_no_words() -> None:
    assert summary(None) == NOT_TESTED
    assert NOT_TESTED.text == ""
