"""Prompts that no server has seen before."""

from inference.management.bench import prompts


def content(body: dict[str, object]) -> str:
    messages = body["messages"]
    assert isinstance(messages, list)
    return str(messages[-1]["content"])


def test_two_prompts_have_no_prefix_in_common() -> None:
    assert len({content(prompts.short(8))[:8] for _ in range(20)}) > 1
    assert len({content(prompts.long(8, 8))[:8] for _ in range(20)}) > 1


def test_a_seed_is_for_sampled_answers() -> None:
    assert prompts.short(8)["temperature"] == 0
    seeded = prompts.short(8, seed=3)
    assert (seeded["seed"], seeded["max_tokens"], seeded["temperature"] > 0) == (3, 8, True)


def test_a_long_prompt_has_as_many_words_as_are_asked_for() -> None:
    text = content(prompts.long(500, 8))
    assert 500 <= len(text.split()) <= 510


def test_another_turn_keeps_the_chat_and_its_limits() -> None:
    before = prompts.short(8)
    after = prompts.next_turn(before, "Once.")
    assert after["messages"][:-1] == [*before["messages"], {"role": "assistant", "content": "Once."}]
    assert after["max_tokens"] == 8 and len(before["messages"]) == 1
