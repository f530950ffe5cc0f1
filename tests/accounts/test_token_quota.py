import pytest

from inference.accounts.token_quota import TokenQuota
from inference.accounts.usage_meter import UsageMeter
from inference.core.errors import RateLimited
from inference.core.events import Accepted, Ended, Finished, ReasoningDelta, TextDelta, ToolCallDelta, Usage
from inference.core.principal import Allowance


@pytest.fixture
def meter() -> UsageMeter:
    return UsageMeter(lambda: 0.0, lambda: 0.0)


def of(meter: UsageMeter, most: int | None = 10) -> TokenQuota:
    return TokenQuota(meter, Allowance(tokens_per_day=most))


def test_what_is_made_counts_at_once(meter: UsageMeter) -> None:
    quota = of(meter)
    quota.note(Accepted(prompt_tokens=3))
    quota.note(TextDelta(text="a", tokens=2))
    assert (meter.tokens, quota.is_spent) == (5, False)


def test_what_the_worker_counted_wins(meter: UsageMeter) -> None:
    quota = of(meter)
    for event in (Accepted(prompt_tokens=3), TextDelta(text="a"), TextDelta(text="b", tokens=0)):
        quota.note(event)
    quota.note(Finished(usage=Usage(prompt_tokens=3, completion_tokens=4)))
    assert meter.tokens == 7


def test_two_at_once_spend_it_together(meter: UsageMeter) -> None:
    one, two = of(meter), of(meter)
    for quota in (one, two):
        quota.note(Accepted(prompt_tokens=4))
    one.note(TextDelta(text="a"))
    assert not one.is_spent
    two.note(ReasoningDelta(text="b"))
    assert two.is_spent
    one.note(ToolCallDelta(call=0))
    assert one.is_spent


def test_a_prompt_longer_than_what_is_left_is_refused_and_not_counted(meter: UsageMeter) -> None:
    meter.spend(4)
    with pytest.raises(RateLimited, match=r"6 of its 10 tokens of today left, fewer than this prompt's 7"):
        of(meter).note(Accepted(prompt_tokens=7))
    assert meter.tokens == 4
    of(meter).note(Accepted(prompt_tokens=6))


def test_without_a_limit_nothing_is_ever_spent(meter: UsageMeter) -> None:
    quota = of(meter, None)
    quota.note(Accepted(prompt_tokens=10**9))
    quota.note(TextDelta(text="a"))
    assert (quota.is_spent, meter.tokens) == (False, 10**9 + 1)


def test_the_cut_ends_each_answer_once_with_what_was_made(meter: UsageMeter) -> None:
    quota = of(meter)
    for event in (Accepted(prompt_tokens=3), ReasoningDelta(text="a", tokens=2), TextDelta(text="b")):
        quota.note(event)
    quota.note(Ended(reason="stop", index=1))
    usage = Usage(prompt_tokens=3, completion_tokens=3, reasoning_tokens=2)
    ends = [Ended(reason="length"), Ended(reason="length", index=2), Finished(usage=usage)]
    assert list(quota.cut(3)) == ends
