"""What Claude Code counts anew with every request does not reach the prompt."""

from inference.api.anthropic.schemas.request_marks import marks_in, without_marks
from tests.api.anthropic.asking import HELLO, asked, read, send, text
from tests.each import each
from tests.fakes import FakeRunner, serving

BILLING = "x-anthropic-billing-header: cc_version=2.1.9; cc_entrypoint=cli; cch={};"
COUNTER = "<total_tokens>{} tokens left</total_tokens>"


@each(
    ("marked", "kept", "marks"),
    [
        (BILLING.format("a1"), "", ["x-anthropic-billing-header"]),
        (BILLING.format("a1") + "\nYou are kind.", "You are kind.", ["x-anthropic-billing-header"]),
        (COUNTER.format(14999436), "", ["total_tokens"]),
        ("You are kind.\n" + COUNTER.format("1,204"), "You are kind.", ["total_tokens"]),
        (f"a\n{COUNTER.format(9)}\n{COUNTER.format(8)}\nb", "a\nb", ["total_tokens"]),
        (BILLING.format("a1") + "You are kind.", "You are kind.", ["x-anthropic-billing-header"]),
        (BILLING.format("a1")[:-1] + "\nYou are kind.", "You are kind.", ["x-anthropic-billing-header"]),
        ("x-anthropic-billing-header: none\nYou are kind.", "You are kind.", ["x-anthropic-billing-header"]),
        ("Read <total_tokens> with care.", "Read <total_tokens> with care.", []),
        (
            "Mind the x-anthropic-billing-header: it is a line.",
            "Mind the x-anthropic-billing-header: it is a line.",
            [],
        ),
        ("\nYou are kind.\n", "\nYou are kind.\n", []),
    ],
)
def test_marks_are_cut_out_whole(marked: str, kept: str, marks: list[str]) -> None:
    assert (without_marks(marked), marks_in(marked)) == (kept, marks)


def test_two_requests_of_one_session_have_the_same_beginning() -> None:
    def request(number: int) -> object:
        system = [text(BILLING.format(number)), text("You are kind."), text(COUNTER.format(number))]
        counted = {"role": "system", "content": COUNTER.format(number)}
        return asked(system=system, messages=[*HELLO, counted, *HELLO])

    assert request(1) == request(2)


def test_a_user_may_write_about_them() -> None:
    counter = COUNTER.format(7)
    assert asked(messages=[{"role": "user", "content": counter}]).messages[0].content == counter


def test_their_places_are_known() -> None:
    counted = {"role": "system", "content": COUNTER.format(7)}
    system = [text("You are kind."), text(BILLING.format(1))]
    made = read(system=system, messages=[*HELLO, counted])
    assert list(made.marks) == ["system.1:x-anthropic-billing-header", "messages.1:total_tokens"]
    assert list(read(system=BILLING.format(1)).marks) == ["system:x-anthropic-billing-header"]


async def test_a_header_lists_them() -> None:
    with serving(FakeRunner()):
        response = await send(system=BILLING.format(1))
    assert response["x-mlx-noted"] == "system:x-anthropic-billing-header"
