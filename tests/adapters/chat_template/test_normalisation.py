"""Messages bent for templates without a system role, or that want turns to alternate."""

from inference.adapters.chat_template.normalisation import alternating, one_system, without_system
from inference.core.requests import PICTURE, Message, Picture, ToolCall
from tests.adapters.family_models import chat_request, make, rendered
from tests.each import each
from tests.tiny import CHATML

SYSTEM = Message(role="system", content="Be brief.")
HI, ALSO = Message(role="user", content="Hi"), Message(role="user", content="Also this")
HELLO = Message(role="assistant", content="Hello")
CALLED = Message(role="assistant", content="", tool_calls=(ToolCall(id="1", name="now", arguments="{}"),))
NO_SYSTEM = "{% if messages[0]['role'] == 'system' %}{{ raise_exception('no system') }}{% endif %}" + CHATML
ALTERNATES = (
    "{% for m in messages %}{% if (m['role'] == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('Conversation roles must alternate') }}{% endif %}{% endfor %}" + CHATML
)


@each(
    ("messages", "texts"),
    [
        ([SYSTEM, HI], ["Be brief.\n\nHi"]),
        ([SYSTEM, SYSTEM, HI, HELLO], ["Be brief.\n\nBe brief.\n\nHi", "Hello"]),
        ([HI, HELLO, SYSTEM, ALSO], ["Hi", "Hello", "Be brief.\n\nAlso this"]),
        ([SYSTEM, HELLO], ["Be brief.", "Hello"]),
        ([HI, SYSTEM], ["Hi", "Be brief."]),
        ([HI, HELLO], ["Hi", "Hello"]),
    ],
)
def test_the_system_speaks_in_the_next_user_turn(messages: list[Message], texts: list[str]) -> None:
    turns = without_system(messages)
    assert [turn.content for turn in turns] == texts
    assert all(turn.role != "system" for turn in turns)


def test_turns_of_one_role_become_one() -> None:
    assert [turn.content for turn in alternating([HI, ALSO, HELLO, HELLO])] == [
        "Hi\n\nAlso this",
        "Hello\n\nHello",
    ]


def test_turns_that_become_one_keep_their_pictures() -> None:
    pictures = tuple(Picture(data=data, media_type="image/png", width=1, height=1) for data in (b"1", b"2"))
    turns = [Message(role="user", content=f"{PICTURE}this", pictures=(picture,)) for picture in pictures]
    (turn,) = alternating(turns)
    assert (turn.content, turn.pictures) == (f"{PICTURE}this\n\n{PICTURE}this", pictures)
    (after_system, _) = without_system([SYSTEM, turns[0], HELLO])
    assert after_system.pictures == pictures[:1]


def test_a_call_stays_a_turn_of_its_own() -> None:
    assert alternating([HI, CALLED, CALLED]) == [HI, CALLED, CALLED]


def test_a_template_without_a_system_role_still_hears_the_system() -> None:
    adapter, tokenizer = make(NO_SYSTEM)
    text = tokenizer.decode(adapter.render(chat_request(SYSTEM, HI)))
    assert "<|im_start|>user\nBe brief.\n\nHi<|im_end|>" in text


def test_a_template_that_wants_alternation_gets_it() -> None:
    adapter, tokenizer = make(ALTERNATES)
    text = tokenizer.decode(adapter.render(chat_request(SYSTEM, HI, ALSO)))
    assert "<|im_start|>user\nBe brief.\n\nHi\n\nAlso this<|im_end|>" in text


def test_a_template_that_takes_all_gets_all() -> None:
    adapter, tokenizer = make(CHATML)
    assert rendered(adapter, tokenizer, "Hi").count("<|im_start|>") == 2
    text = tokenizer.decode(adapter.render(chat_request(SYSTEM, HI, ALSO)))
    assert text.count("<|im_start|>") == 4


def test_the_first_system_messages_become_one_and_later_ones_part_of_the_next_question() -> None:
    normalised = one_system((SYSTEM, SYSTEM, HI, HELLO, SYSTEM, ALSO))
    assert [message.role for message in normalised] == ["system", "user", "assistant", "user"]
    assert [normalised[0].content, normalised[3].content] == [
        "Be brief.\n\nBe brief.",
        "Be brief.\n\nAlso this",
    ]


def test_without_a_system_message_at_the_head_none_is_made() -> None:
    assert one_system((HI, HELLO)) == [HI, HELLO]


def test_a_template_that_leaves_out_a_later_system_message_has_it_in_the_question() -> None:
    forgets = "{% for message in messages if message.role != 'system' or loop.first %}"
    adapter, tokenizer = make(CHATML.replace("{% for message in messages %}", forgets))
    text = tokenizer.decode(adapter.render(chat_request(SYSTEM, HI, HELLO, SYSTEM, ALSO)))
    assert "<|im_start|>user\nBe brief.\n\nAlso this<|im_end|>" in text
