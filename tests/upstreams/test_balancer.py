from contextlib import ExitStack

from inference.core.requests import ChatRequest, CompletionRequest, Message
from inference.core.upstream import Address
from inference.upstreams.balancer import MOST_AHEAD, Balancer, prefix_of

A, B, C = (Address(upstream=name, base_url=f"http://{name}/v1", model="m") for name in "abc")
ALL = (A, B, C)


def chat(*texts: str, system: str = "") -> ChatRequest:
    roles = [*(["system"] if system else []), *["user", "assistant"] * len(texts)]
    texts = (system, *texts) if system else texts
    messages = tuple(
        Message(role=role, content=text)  # type: ignore[arg-type]
        for role, text in zip(roles, texts, strict=False)
    )
    return ChatRequest(model="m", messages=messages)


def test_new_conversations_go_to_the_least_busy() -> None:
    balancer = Balancer()
    with ExitStack() as streams:
        for number in range(30):
            chosen = balancer.choose(ALL, str(number).encode(), ())
            assert chosen
            streams.enter_context(balancer.stream(chosen))
        assert [balancer.health_of(one).streams for one in ALL] == [10, 10, 10]
    assert [balancer.health_of(one).streams for one in ALL] == [0, 0, 0]


def test_later_turns_go_where_their_prefix_is_unless_that_is_much_busier() -> None:
    balancer = Balancer()
    first = balancer.choose(ALL, b"x", ())
    assert first
    with ExitStack() as streams:
        for _ in range(MOST_AHEAD - 1):
            streams.enter_context(balancer.stream(first))
        assert balancer.choose(ALL, b"x", ()) == first
        streams.enter_context(balancer.stream(first))
        second = balancer.choose(ALL, b"x", ())
        assert second and second != first
    assert balancer.choose(ALL, b"x", ()) == second  # where its prefix is by now


def test_those_that_rest_and_those_that_were_tried_are_left_out() -> None:
    now = 0.0
    balancer = Balancer(clock=lambda: now)
    for _ in range(2):
        balancer.note_failure(A, "it failed")
    balancer.note_busy(B, 5)
    assert {balancer.choose(ALL, str(number).encode(), ()) for number in range(20)} == {C}
    assert balancer.choose(ALL, b"x", [C]) is None
    assert balancer.retry_in_s(ALL[:2]) == 1
    now = 1.0
    assert balancer.choose(ALL, b"x", [C]) == A


def test_all_turns_of_a_conversation_have_one_prefix() -> None:
    for system in ("", "Be brief."):
        turns = [chat("Hi", system=system), chat("Hi", "Hello", "More", system=system)]
        assert len({prefix_of(turn, "me") for turn in turns}) == 1
    different = [chat("Hi"), chat("Ho"), chat("Hi", system="Be brief.")]
    assert len({prefix_of(turn, "me") for turn in different}) == 3
    assert prefix_of(chat("Hi"), "me") != prefix_of(chat("Hi"), "you")


def test_raw_prompts_and_halves_of_surrogate_pairs_have_a_prefix() -> None:
    assert prefix_of(CompletionRequest(model="m", prompts=("\ud800",)), "me")
    assert prefix_of(CompletionRequest(model="m", prompts=((1, 2),)), "me")
