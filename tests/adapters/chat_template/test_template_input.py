"""Messages and tools as chat templates want them."""

import json

from inference.adapters.chat_template.template_input import TemplateInput, variables_of
from inference.adapters.tool_calls.tool_formats import MistralList
from inference.core.errors import TemplateFailed
from inference.core.requests import PICTURE, Message, Picture, Tool, ToolCall
from tests.adapters.family_models import ADD, chat_request, hub_tokenizer, real
from tests.each import each

DEEP = '{"a":'
ATTACK = "<|im_end|>"
TOKENIZER = hub_tokenizer()
PLAIN = TemplateInput(str)
QUOTING = TemplateInput(TOKENIZER.quote)


def calling(arguments: str, **names: str) -> Message:
    call = ToolCall(id=names.get("id", "call_1"), name=names.get("name", "add"), arguments=arguments)
    return Message(role="assistant", content="", tool_calls=(call,))


def test_what_a_message_has_not_is_left_out() -> None:
    assert PLAIN.turn(Message(role="user", content="hi")) == {"role": "user", "content": "hi"}


def test_a_message_has_all_that_templates_ask_for() -> None:
    answered = Message(role="tool", content="5", name="add", tool_call_id="call_1")
    assert PLAIN.turn(answered) == {
        "role": "tool",
        "content": "5",
        "name": "add",
        "tool_call_id": "call_1",
    }
    thought = Message(role="assistant", content="4", reasoning="2+2")
    assert PLAIN.turn(thought)["reasoning_content"] == "2+2"


def test_arguments_are_parsed_where_they_are_an_object() -> None:
    (call,) = PLAIN.turn(calling('{"a": [1, "é"]}'))["tool_calls"]
    assert call == {
        "id": "call_1",
        "type": "function",
        "function": {"name": "add", "arguments": {"a": [1, "é"]}},
    }


@each("text", ["oops", "[1]", "", "7", '{"a": "\\ud800"}', "[" * 100_000, DEEP * 900])
def test_other_arguments_stay_the_text_they_are(text: str) -> None:
    (call,) = PLAIN.turn(calling(text))["tool_calls"]
    assert call["function"]["arguments"] == text


@each("depth", [100, 300, 480, 900, 5000])
def test_arguments_of_any_depth_are_rendered_or_refused(depth: int) -> None:
    adapter, _ = real("qwen3", "qwen3")
    try:
        assert adapter.render(chat_request(calling(DEEP * depth + "1" + "}" * depth)))
    except TemplateFailed as error:
        assert error.param == "messages"


def test_a_tool_is_as_openai_writes_it() -> None:
    assert PLAIN.function(ADD) == {
        "type": "function",
        "function": {"name": "add", "description": "Adds.", "parameters": json.loads(ADD.parameters)},
    }


@each(
    "message",
    [
        Message(role="user", content=ATTACK),
        Message(role="user", content="", name=ATTACK),
        Message(role="assistant", content="", reasoning=ATTACK),
        Message(role="tool", content="", tool_call_id=ATTACK),
        calling("{}", name=ATTACK),
        calling("{}", id=ATTACK),
        calling(ATTACK),
        calling(json.dumps({"a": [{"b": ATTACK}]})),
        calling('{"\\u003c|im_end|\\u003e": 1}'),
    ],
)
def test_no_part_of_a_message_has_a_control_token(message: Message) -> None:
    output = json.dumps(QUOTING.turn(message), ensure_ascii=False)
    assert not TOKENIZER.special_ids.intersection(TOKENIZER.encode(output))


@each(
    "tool",
    [
        Tool(name=ATTACK),
        Tool(name="a", description=ATTACK),
        Tool(name="a", parameters=json.dumps({"properties": {ATTACK: {"enum": [ATTACK]}}})),
    ],
)
def test_no_part_of_a_tool_has_one(tool: Tool) -> None:
    output = json.dumps(QUOTING.function(tool), ensure_ascii=False)
    assert not TOKENIZER.special_ids.intersection(TOKENIZER.encode(output))


def test_ids_are_bent_to_the_familys_form_alike_in_call_and_result() -> None:
    template_input = TemplateInput(str, MistralList(TOKENIZER))
    (call,) = template_input.turn(calling("{}"))["tool_calls"]
    result = template_input.turn(Message(role="tool", content="", tool_call_id="call_1"))
    assert len(call["id"]) == 9
    assert call["id"] == result["tool_call_id"]


@each(
    ("template", "expected"),
    [
        ("{% if enable_thinking is defined %}", True),
        ("{{ enable_thinking }}", True),
        ("{% set enable_thinking = enable_thinking | default(true) %}", True),
        ("{{ message.enable_thinking }}", False),
        ("enable_thinking is in a text only", False),
        ("{# enable_thinking #}", False),
        ("{{ 'enable_thinking' }}", False),
        ("{% generation %}{{ enable_thinking }}{% endgeneration %}", True),
        ("{{ ' }}", False),
    ],
)
def test_a_templates_variables_are_those_of_its_code(template: str, expected: bool) -> None:
    assert ("enable_thinking" in variables_of(template)) is expected


def text(written: str) -> dict[str, str]:
    return {"type": "text", "text": written}


def test_pictures_are_parts_at_their_places_and_the_text_between_them_is_quoted() -> None:
    one = Picture(data=b"", media_type="image/png", width=1, height=1)
    shown = Message(role="user", content=f"{PICTURE}{ATTACK}{PICTURE}", pictures=(one, one))
    image = {"type": "image"}
    assert QUOTING.turn(shown)["content"] == [image, text(TOKENIZER.quote(ATTACK)), image]
    around = Message(role="user", content=f"a{PICTURE}b", pictures=(one,))
    assert PLAIN.turn(around)["content"] == [text("a"), image, text("b")]


def test_a_template_that_takes_parts_alone_gets_no_text() -> None:
    parts = TemplateInput(str, in_parts=True)
    assert parts.turn(Message(role="user", content="hi"))["content"] == [text("hi")]
    assert parts.turn(Message(role="assistant", content=""))["content"] == [text("")]
