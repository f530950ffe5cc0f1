"""The tests of each field of Anthropic's dialect, for the tables of docs/api.md."""

from collections.abc import Mapping

from inference.api.anthropic.schemas import MessagesBody
from inference.api.http.strict_schema import Strict

NAME = "anthropic/messages"
BODIES: Mapping[str, type[Strict]] = {NAME: MessagesBody}
_HERE = "api/anthropic"
_FIELDS = f"{_HERE}/test_fields.py::test_a_field_reaches_the_model"
_TURNS = f"{_HERE}/test_turns.py"
_TOOLS = f"{_HERE}/test_tools.py"
_MESSAGES = f"{_HERE}/test_messages.py"
_MARKS = f"{_HERE}/test_cache_marks.py"
_CLIENT = "e2e/test_anthropic_client.py"
REFUSED = f"{_HERE}/test_fields.py::test_it_refuses_each_field_it_does_not_do"
_PROOFS: Mapping[str, str] = {
    "model": f"{_CLIENT}::test_it_lists_the_models",
    "max_tokens": f"{_CLIENT}::test_max_tokens_end_the_answer",
    "messages": f"{_TURNS}::test_texts_and_blocks_are_read",
    "system": f"{_TURNS}::test_the_system_comes_first",
    "tools": f"{_TOOLS}::test_a_tool_is_offered",
    "tool_choice": f"{_TOOLS}::test_a_choice_says_what_is_called",
    "thinking": _FIELDS,
    "output_config": _FIELDS,
    "output_format": _FIELDS,
    "context_management": f"{_MESSAGES}::test_edits_of_the_context_are_answered_with_none",
    "stop_sequences": f"{_CLIENT}::test_a_stop_sequence_is_named",
    "stream": f"{_MESSAGES}::test_a_stream_has_anthropics_events",
    "temperature": _FIELDS,
    "top_p": _FIELDS,
    "top_k": _FIELDS,
    "metadata": _FIELDS,
}
PROOFS: Mapping[str, str] = {f"{NAME}.{path}": test for path, test in _PROOFS.items()}
ARRIVALS: Mapping[str, str] = {f"{NAME}.stop_sequences": _FIELDS}
# Of the objects inside a body, as in tests/api/openai/part_proofs.py.
_ANSWER = f"{_TURNS}::test_an_answer_is_read_with_its_reasoning_and_calls"
_RESULT = f"{_TURNS}::test_a_result_is_read_as_text"
_DOCUMENT = f"{_TURNS}::test_plain_documents_are_read"
_PICTURES = f"{_TURNS}::test_images_are_pictures_at_their_places"
_BLOCKS = ("TextBlock", "ImageBlock", "ThinkingBlock", "ToolUseBlock", "ToolResultBlock", "DocumentBlock")
_FURTHER_BLOCKS = ("SearchResultBlock", "ToolReferenceBlock", "LeftOutBlock", "CompactionBlock")
PARTS: Mapping[str, str] = {
    "Turn": f"{_TURNS}::test_a_system_message_keeps_its_place",
    "Turn.clear_at": f"{_TURNS}::test_a_system_message_may_be_for_one_turn",
    "TextBlock": f"{_TURNS}::test_texts_and_blocks_are_read",
    **dict.fromkeys(("ImageBlock", "Base64Source"), _PICTURES),
    "UrlSource": "api/http/test_pictures.py::test_an_address_of_an_allowed_host_is_a_picture_to_fetch",
    **dict.fromkeys(("ThinkingBlock", "ToolUseBlock"), _ANSWER),
    "ThinkingBlock.signature": f"{_TURNS}::test_a_signature_gives_back_reasoning_that_was_left_out",
    **dict.fromkeys(
        ("ToolResultBlock", "SearchResultBlock", "ToolReferenceBlock", "CompactionBlock"), _RESULT
    ),
    "ToolResultBlock.tool_use_id": f"{_TURNS}::test_results_are_messages_of_their_own_in_order",
    **dict.fromkeys(("DocumentBlock", "PlainSource", "BlockSource"), _DOCUMENT),
    "LeftOutBlock": f"{_TURNS}::test_blocks_of_anthropics_servers_are_left_out_and_listed",
    **{
        f"{block}.cache_control": f"{_MARKS}::test_a_block_of_any_kind_may_have_a_mark"
        for block in (*_BLOCKS, *_FURTHER_BLOCKS)
    },
    "DefinedTool": f"{_TOOLS}::test_a_tool_is_offered",
    "DefinedTool.input_examples": f"{_TOOLS}::test_examples_are_read_behind_the_description",
    "DefinedTool.strict": f"{_TOOLS}::test_strict_arguments_follow_the_schema",
    "AnthropicTool": f"{_TOOLS}::test_tools_with_a_published_schema_are_offered",
    **dict.fromkeys(
        ("DefinedTool.cache_control", "AnthropicTool.cache_control"),
        f"{_MARKS}::test_marks_are_places_in_the_messages",
    ),
    "ToolChoice": f"{_TOOLS}::test_a_choice_says_what_is_called",
    **dict.fromkeys(("Thinking", "OutputConfig", "Metadata"), _FIELDS),
    "Thinking.display": f"{_MESSAGES}::test_reasoning_comes_without_its_text_where_that_is_not_wanted",
    "JsonFormat": f"{_CLIENT}::test_an_answer_follows_its_schema",
}
