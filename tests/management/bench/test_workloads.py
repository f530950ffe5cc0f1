"""The rows for agents, many users and memory: what they ask, and what they count."""

import pytest

from inference.management.bench import agents, drafts, memory, users
from inference.management.bench.timed_answer import AnswerRound, TimedAnswer
from tests.each import each


def answer(first: float, ended: float, tokens: int = 10, sent: float = 0.0) -> TimedAnswer:
    return TimedAnswer(
        sent=sent,
        begun=sent,
        ended=ended,
        pieces=(first, ended),
        tokens=tokens,
        prompt_tokens=5,
        cached_tokens=0,
    )


def test_each_turn_of_an_agent_repeats_the_last_and_adds_a_call_with_its_result() -> None:
    bodies = agents.tool_calls(20)
    assert len(bodies) == 20
    for before, after in zip(bodies, bodies[1:], strict=False):
        assert after["messages"][: len(before["messages"])] == before["messages"]
        call, result = after["messages"][len(before["messages"]) :]
        assert call["tool_calls"][0]["id"] == result["tool_call_id"]
        assert call["tool_calls"][0]["function"]["name"] in {t["function"]["name"] for t in after["tools"]}


def test_an_agent_in_text_sends_nothing_that_a_server_could_leave_out() -> None:
    bodies = agents.texts(20)
    assert len(bodies) == 20
    for before, after in zip(bodies, bodies[1:], strict=False):
        assert after["messages"][: len(before["messages"])] == before["messages"]
        assert [one["role"] for one in after["messages"][len(before["messages"]) :]] == ["assistant", "user"]
    assert all(set(message) == {"role", "content"} for message in bodies[-1]["messages"])
    assert set(bodies[-1]) == {"messages", "max_tokens", "temperature"}
    assert "run_command" in bodies[0]["messages"][0]["content"]


def test_two_agents_share_no_prompt_and_the_turns_of_one_share_their_beginning() -> None:
    bodies = agents.tool_calls(2)
    first, second = (agents.with_salt(bodies) for _ in range(2))
    assert first[0]["messages"][0]["content"][:8] != second[0]["messages"][0]["content"][:8]
    assert first[0]["messages"] == first[1]["messages"][: len(first[0]["messages"])]


def test_each_kind_of_request_is_compared_with_and_without_drafts() -> None:
    for title, requests in drafts.kinds(16).items():
        bodies = requests()
        assert len(bodies) == int(title.split()[0])
        assert all(body["max_tokens"] == 16 for body in bodies)
        plain = drafts.without_drafts(bodies)
        assert [body | {"speculative": False} for body in bodies] == plain


@each("seed", [1, 2, 77])
def test_a_seed_gives_every_server_the_same_load(seed: int) -> None:
    first, again = (users.load_of(30, 2.0, 1.0, seed=seed) for _ in range(2))
    assert first.arrivals == again.arrivals
    assert [body["max_tokens"] for body in first.bodies] == [body["max_tokens"] for body in again.bodies]
    lengths = [[len(b["messages"][0]["content"].split()) for b in one.bodies] for one in (first, again)]
    assert lengths[0] == lengths[1]
    assert len(set(lengths[0])) > 2
    assert users.load_of(30, 2.0, 1.0, seed=seed + 1).arrivals != first.arrivals


@pytest.mark.parametrize("rate", [0.5, 4.0])
def test_arrivals_are_a_poisson_process_of_the_rate(rate: float) -> None:
    arrivals = users.load_of(2000, rate, 1.0, seed=5).arrivals
    assert arrivals[0] == 0
    gaps = [later - earlier for earlier, later in zip(arrivals, arrivals[1:], strict=False)]
    mean = sum(gaps) / len(gaps)
    assert mean == pytest.approx(1 / rate, rel=0.1)
    assert (sum((gap - mean) ** 2 for gap in gaps) / len(gaps)) ** 0.5 == pytest.approx(mean, rel=0.15)


def test_goodput_counts_the_tokens_of_answers_that_began_in_time() -> None:
    one = AnswerRound((answer(1.0, 4.0), answer(3.0, 5.0, tokens=20)), failures=("status 500",))
    assert users.goodput(one, limit_s=2.0) == 10 / 5
    assert users.goodput(one, limit_s=3.0) == 30 / 5
    assert users.goodput(AnswerRound((), ("status 500",)), limit_s=3.0) is None
    assert users.share_in_time(one, limit_s=2.0) == pytest.approx(1 / 3)
    assert users.share_in_time(AnswerRound(()), limit_s=2.0) == 0


def test_one_more_stream_costs_the_difference_divided_by_their_number() -> None:
    assert memory.per_stream({1: [100.0, 110.0], 16: [250.0, None]}) == [10.0, None]
    assert memory.per_stream({}) == []
