from msgspec import structs

from inference.core.requests import ChatRequest, CompletionRequest, Message, Tool
from inference.upstreams.token_estimate import longest_answer, prompt_tokens

ASKED = ChatRequest(model="m", messages=(Message(role="user", content="x" * 1200),))


def test_a_prompt_is_guessed_by_its_letters() -> None:
    assert prompt_tokens(ASKED) == 300 + 16
    assert prompt_tokens(structs.replace(ASKED, tools=(Tool(name="a" * 4, parameters="b" * 36),))) == 316 + 26
    assert prompt_tokens(CompletionRequest(model="m", prompts=("x" * 40, (1, 2, 3)))) == 13


def test_an_answer_may_be_as_long_as_asked_for_and_as_the_context_and_the_site_allow() -> None:
    def limit(asked: int | None, context: int = 4096, most: int = 0) -> int:
        return longest_answer(structs.replace(ASKED, max_tokens=asked), context, most)

    assert limit(50) == 50
    assert limit(64_000) == limit(None) == 4096 - 400 - 16  # a ceiling
    assert limit(64_000, most=100) == limit(None, most=100) == 100
    assert limit(50, most=100) == 50
    assert limit(50, context=16) == 16  # the other server says what does not fit
