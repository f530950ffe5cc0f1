"""What ends the text of an answer, and what does not yet."""

from inference.core.requests import ChatRequest, Message, TokenRules
from inference.worker.sampling.thinking_budget import ThinkingBudget
from inference.worker.text.answer import AnswerText
from tests.adapters.family_models import make
from tests.each import each
from tests.tiny import CHATML


def text_of(output: str, **fields: object) -> tuple[str, bool]:
    """The visible text of an answer with these tokens, and whether a stop string has ended it."""
    adapter, tokenizer = make(CHATML)
    request = ChatRequest(model="m", messages=(Message(role="user", content="hi"),), **fields)  # type: ignore[arg-type]
    answer = AnswerText.of(request, adapter.render(request), tokenizer, adapter)
    events = [event for token in tokenizer.encode(output) for event in answer.feed(token)]
    events += answer.flush()
    return "".join(getattr(event, "text", "") for event in events), answer.is_stopped


def test_a_token_that_stops_is_no_part_of_the_text() -> None:
    _, tokenizer = make(CHATML)
    (token,) = tokenizer.encode("Z")
    assert text_of("abZ", rules=TokenRules(stop_ids=(token,))) == ("ab", False)


def test_a_stop_string_ends_nothing_before_the_least_number_of_tokens() -> None:
    assert text_of("a.b.c", stop=(".",)) == ("a", True)
    assert text_of("a.b.c", stop=(".",), rules=TokenRules(min_tokens=3)) == ("a.b", True)


def test_an_answer_that_goes_on_may_begin_with_a_space() -> None:
    text, _ = text_of(" more", continues=True)
    assert text == " more"


@each(
    ("tokens", "output", "is_cut"),
    [(2, "ab)c", True), (2, "a)c", False), (2, "ab", False), (0, ")c", False), (2, "a)(b)c", False)],
)
def test_an_answer_reports_that_a_budget_has_ended_its_reasoning(
    tokens: int, output: str, is_cut: bool
) -> None:
    _, tokenizer = make(CHATML)
    budget = ThinkingBudget(
        tokens=tokens,
        opening="(",
        closing=")",
        opening_id=None,
        forced=tuple(tokenizer.encode(")")),
        starts_inside=True,
        decode=tokenizer.decode,
    )
    answer = AnswerText(tokenizer, thinking=budget)
    for token in tokenizer.encode(output):
        answer.feed(token)
    assert answer.is_reasoning_cut is is_cut
