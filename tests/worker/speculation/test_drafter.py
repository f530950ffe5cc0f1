"""The drafts of one row."""

from inference.worker.speculation.drafter import NO_DRAFT, Drafter

PROMPT = tuple(range(100, 140))


def draft_after(
    drafter: Drafter, tokens: list[int], following: int | None = None, count: int = 4
) -> tuple[int, ...]:
    assert drafter.catch_up(tokens, following)
    return drafter.draft(count, skipped=1 if following is None else 0).tokens


def test_a_draft_is_what_followed_in_the_prompt() -> None:
    drafter = Drafter(PROMPT)
    assert draft_after(drafter, [*PROMPT, 103], 104) == (105, 106, 107, 108)


def test_a_guess_of_a_token_that_is_not_known_is_left_out() -> None:
    drafter = Drafter(PROMPT)
    assert draft_after(drafter, [*PROMPT, 103, 104]) == (106, 107, 108, 109)


def test_the_next_token_is_indexed_once() -> None:
    drafter = Drafter(PROMPT)
    draft_after(drafter, [*PROMPT, 103], 104)
    assert draft_after(drafter, [*PROMPT, 103, 104], 105) == (106, 107, 108, 109)
    assert drafter.catch_up([*PROMPT, 103, 104, 105]) and drafter.draft(2).tokens == (106, 107)


def test_an_answer_begins_with_its_prediction() -> None:
    drafter = Drafter(PROMPT, prediction=(1, 2, 3, 4, 5, 6))
    assert draft_after(drafter, list(PROMPT), 1) == (2, 3, 4, 5)
    drafter = Drafter(PROMPT, prediction=(1, 2, 3, 4, 5, 6))
    assert draft_after(drafter, list(PROMPT)) == (2, 3, 4, 5)
    assert drafter.draft(4).is_predicted


def test_a_prediction_goes_on_after_a_wrong_token() -> None:
    drafter = Drafter(PROMPT, prediction=(1, 2, 3, 4, 5, 6))
    assert draft_after(drafter, [*PROMPT, 1, 77], 3) == ()
    assert draft_after(drafter, [*PROMPT, 1, 77, 3], 4) == (5, 6)
    assert drafter.draft(9).is_predicted


def test_an_answer_that_was_paused_goes_on_where_it_was_in_its_prediction() -> None:
    prediction = tuple(range(1, 60))
    for made in (1, 2, 40, 57):
        drafter = Drafter(PROMPT, prediction, answered=prediction[:made])
        assert draft_after(drafter, [*PROMPT, *prediction[:made]], made + 1) == prediction[made + 1 :][:4]
        assert made == 57 or drafter.draft(4).is_predicted


def test_an_answer_that_had_left_its_prediction_before_a_pause_finds_it_again() -> None:
    drafter = Drafter(PROMPT, prediction=(1, 2, 3, 4, 5, 6, 7, 8), answered=(1, 2, 77))
    assert draft_after(drafter, [*PROMPT, 1, 2, 77], 4) == ()
    assert draft_after(drafter, [*PROMPT, 1, 2, 77, 4], 5) == (6, 7, 8)


def test_a_paused_answer_without_a_prediction_drafts_from_its_own_text() -> None:
    drafter = Drafter(PROMPT, answered=(8, 9, 10, 11, 5))
    assert draft_after(drafter, [*PROMPT, 8, 9, 10, 11, 5, 8], 9) == (10, 11, 5, 8)


def test_a_draft_from_the_prompt_is_not_predicted() -> None:
    drafter = Drafter(PROMPT, prediction=(1, 2, 3))
    assert draft_after(drafter, [*PROMPT, 103], 104) == (105, 106, 107, 108)
    assert not drafter.draft(4).is_predicted


def test_a_long_prompt_is_indexed_in_several_steps() -> None:
    prompt = list(range(10_000))
    drafter, steps = Drafter(prompt), 1
    while not drafter.catch_up([*prompt, 5], 6):
        steps += 1
    assert steps == 3 and drafter.draft(2).tokens == (7, 8)


def test_nothing_is_drafted_for_a_new_text() -> None:
    drafter = Drafter((1, 2, 3))
    assert drafter.catch_up([1, 2, 3, 4]) and drafter.draft(5) is NO_DRAFT


def test_a_draft_can_be_cut() -> None:
    drafter = Drafter(PROMPT)
    drafter.catch_up([*PROMPT, 103], 104)
    assert drafter.draft(9).first(2).tokens == (105, 106)
    drafter.record(drafter.draft(9), 9)
    assert drafter.acceptance.rate(2) > 0.4
