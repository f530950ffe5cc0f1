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
    "messages.role": f"{_TURNS}::test_a_system_message_keeps_its_place",
    "messages.clear_at": f"{_TURNS}::test_a_system_message_may_be_for_one_turn",
    "messages.content.thinking": f"{_TURNS}::test_an_answer_is_read_with_its_reasoning_and_calls",
    "messages.content.signature": f"{_TURNS}::test_a_signature_gives_back_reasoning_that_was_left_out",
    "messages.content.id": f"{_TURNS}::test_an_answer_is_read_with_its_reasoning_and_calls",
    "messages.content.name": f"{_TURNS}::test_an_answer_is_read_with_its_reasoning_and_calls",
    "messages.content.input": f"{_TURNS}::test_an_answer_is_read_with_its_reasoning_and_calls",
    "messages.content.tool_use_id": f"{_TURNS}::test_results_are_messages_of_their_own_in_order",
    "messages.content.content": f"{_TURNS}::test_a_result_is_read_as_text",
    "messages.content.is_error": f"{_TURNS}::test_a_result_is_read_as_text",
    "messages.content.source": f"{_TURNS}::test_plain_documents_are_read",
    "messages.content.title": f"{_TURNS}::test_plain_documents_are_read",
    "messages.content.context": f"{_TURNS}::test_plain_documents_are_read",
    "messages.content.content.source": f"{_TURNS}::test_plain_documents_are_read",
    "messages.content.content.title": f"{_TURNS}::test_plain_documents_are_read",
    "messages.content.content.context": f"{_TURNS}::test_plain_documents_are_read",
    **{
        f"{place}cache_control": f"{_MARKS}::test_marks_are_places_in_the_messages"
        for place in (
            "",
            "messages.content.",
            "messages.content.content.",
            "messages.content.content.content.",
            "messages.content.content.source.content.",
            "messages.content.source.content.",
            "system.",
            "tools.",
        )
    },
    "system": f"{_TURNS}::test_the_system_comes_first",
    "tools": f"{_TOOLS}::test_a_tool_is_offered",
    "tools.name": f"{_TOOLS}::test_tools_with_a_published_schema_are_offered",
    "tools.type": f"{_TOOLS}::test_tools_with_a_published_schema_are_offered",
    "tools.input_examples": f"{_TOOLS}::test_examples_are_read_behind_the_description",
    "tools.strict": f"{_TOOLS}::test_strict_arguments_follow_the_schema",
    "tool_choice": f"{_TOOLS}::test_a_choice_says_what_is_called",
    "thinking": _FIELDS,
    "thinking.display": f"{_MESSAGES}::test_reasoning_comes_without_its_text_where_that_is_not_wanted",
    "output_config": _FIELDS,
    "output_config.format": f"{_CLIENT}::test_an_answer_follows_its_schema",
    "output_format": _FIELDS,
    "context_management": f"{_MESSAGES}::test_edits_of_the_context_are_answered_with_none",
    "stop_sequences": f"{_CLIENT}::test_a_stop_sequence_is_named",
    "stream": f"{_CLIENT}::test_a_stream_is_the_same_message",
    "temperature": _FIELDS,
    "top_p": _FIELDS,
    "top_k": _FIELDS,
    "metadata": _FIELDS,
}
PROOFS: Mapping[str, str] = {f"{NAME}.{path}": test for path, test in _PROOFS.items()}
