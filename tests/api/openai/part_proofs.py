"""The tests that prove the fields of the objects inside bodies, by class, or by class and field.

A class that several endpoints share has its tests once: that an endpoint has such objects is proved by the
tests of the field that holds them (proofs.py).
"""

from collections.abc import Mapping

from tests.api.openai.proofs import OLLAMA_REACHES

_HERE = "api/openai"
_CLIENT = "e2e/test_openai_client.py"
_STRUCTURED = "e2e/test_openai_structured_output.py"
_FORMS = "worker/sampling/test_answer_grammar.py::test_an_answer_has_its_form"
_STRICT = "worker/sampling/test_grammar.py"
_GRAMMAR = "pool/test_worker_grammar.py"
_THINKING = "adapters/test_thinking.py::test_thinking_is_switched_off_and_would_be_closed_at_once"
_DRAFTS = "worker/engine/test_speculative_decode.py"
_TEMPLATE = "adapters/chat_template"
_CONTINUED = f"{_TEMPLATE}/test_continuation.py::test_the_prompt_ends_with_the_text_that_goes_on"
_TOOLS = f"{_HERE}/test_tool_schemas.py"
_CUSTOM = f"{_HERE}/test_custom_tools.py"
_FUNCTIONS = f"{_HERE}/test_older_functions.py"
_EXTRAS = f"{_HERE}/test_answer_extras.py"
_PICTURES = f"{_HERE}/test_pictures.py"
_RESPONSES = f"{_HERE}/test_responses.py"
_ITEMS = f"{_HERE}/test_response_items.py"
_RTOOLS = f"{_HERE}/test_response_tools.py"
_MESSAGES = f"{_RESPONSES}::test_items_become_the_messages_of_a_chat"
_SETTINGS = f"{_RESPONSES}::test_settings_reach_the_model"
_CONVERSATION = f"{_TOOLS}::test_it_reads_a_conversation_with_calls"
_CALLED = f"{_CUSTOM}::test_a_custom_call_and_its_result_are_taken_back"
_CALLED_ITEM = f"{_RTOOLS}::test_a_custom_call_and_its_result_are_taken_back"
_NAMED = f"{_RTOOLS}::test_a_tool_is_meant_within_its_namespace"
_SENT_BACK = f"{_RTOOLS}::test_a_call_sent_back_has_the_name_that_the_model_knows"
_FORM = f"{_STRUCTURED}::test_an_answer_follows_its_schema"
_STREAM = f"{_HERE}/test_chat_completions.py::test_usage_is_streamed_only_when_asked"
_SUMMARY = f"{_ITEMS}::test_a_summary_is_read_where_there_is_nothing_else"
PROOFS: Mapping[str, str] = {
    "StreamOptions": _STREAM,
    "StreamOptions.continuous_usage_stats": f"{_EXTRAS}::test_usage_so_far_comes_where_it_is_asked_for",
    # The form of an answer.
    **dict.fromkeys(("ResponseFormat", "SchemaBody"), _FORM),
    **dict.fromkeys(("Structure", "StructuredOutputs", "StructuralTag"), _FORMS),
    **dict.fromkeys((f"ResponseFormat.{name}" for name in ("pattern", "grammar")), _FORMS),
    **dict.fromkeys((f"ResponseFormat.{name}" for name in ("structures", "triggers")), _FORMS),
    **dict.fromkeys(("TextOptions", "TextFormat"), f"{_RESPONSES}::test_the_form_of_the_text_is_enforced"),
    **dict.fromkeys(("OpenRouterReasoning", "ThinkingOptions"), _THINKING),
    "OpenRouterReasoning.exclude": f"{_EXTRAS}::test_reasoning_stays_away_where_it_is_not_wanted",
    "ReasoningOptions": _SETTINGS,
    "ReasoningOptions.summary": f"{_ITEMS}::test_a_summary_is_the_reasoning_itself",
    # Tools of a chat, and the choice among them.
    **dict.fromkeys(
        ("FunctionToolBody", "FunctionBody"),
        f"{_STRUCTURED}::test_a_required_call_streams_and_its_result_is_answered",
    ),
    "FunctionBody.strict": f"{_STRICT}::test_strict_tools_bind_the_arguments_once_a_call_has_begun",
    **dict.fromkeys(
        ("CustomToolBody", "CustomBody", "InputFormat", "GrammarBody"),
        f"{_CUSTOM}::test_a_custom_tool_is_a_function_with_one_text",
    ),
    **dict.fromkeys(
        ("NamedFunctionTool", "NamedFunction"),
        f"{_GRAMMAR}::test_a_required_call_is_made_by_a_model_that_never_learnt_to",
    ),
    **dict.fromkeys(("NamedCustomTool", "NamedCustom"), f"{_CUSTOM}::test_a_custom_tool_can_be_forced"),
    **dict.fromkeys(
        ("AllowedToolsChoice", "AllowedTools"), f"{_CUSTOM}::test_only_allowed_tools_are_offered"
    ),
    # Messages of a chat.
    **dict.fromkeys(("ChatMessage", "TextPart"), f"{_CLIENT}::test_it_answers_whole"),
    "ChatMessage.name": f"{_TEMPLATE}/test_template_input.py::test_a_message_has_all_that_templates_ask_for",
    "ChatMessage.function_call": f"{_FUNCTIONS}::test_a_function_call_and_its_result_are_taken_back",
    "ChatMessage.tool_call_id": f"{_TOOLS}::test_a_result_belongs_to_the_call_that_it_names",
    "ChatMessage.prefix": _CONTINUED,
    **dict.fromkeys(("ChatMessage.tool_calls", "ChatMessage.reasoning_content"), _CONVERSATION),
    **dict.fromkeys(("CallBody", "CalledFunction"), _CONVERSATION),
    **dict.fromkeys(("CustomCallBody", "CalledCustom"), _CALLED),
    **dict.fromkeys(
        ("ImagePart", "ImageUrl"), f"{_PICTURES}::test_a_picture_of_a_chat_keeps_its_place_and_detail"
    ),
    **dict.fromkeys(("Prediction", "PredictedText"), f"{_DRAFTS}::test_a_right_prediction_takes_few_steps"),
    # Items of a response.
    **dict.fromkeys(("MessageItem", "ContentPart", "CallItem", "ResultItem"), _MESSAGES),
    **dict.fromkeys(("CallItem.namespace", "CustomCallItem.namespace"), _SENT_BACK),
    "CustomCallItem": _CALLED_ITEM,
    "InputImage": f"{_PICTURES}::test_a_stored_response_goes_on_with_its_pictures",
    "RefusalPart": f"{_ITEMS}::test_a_refusal_is_read_as_text",
    **dict.fromkeys(("ReasoningItem", "ReasoningText"), _MESSAGES),
    "ReasoningItem.encrypted_content": f"{_ITEMS}::test_sealed_reasoning_comes_back_to_the_model",
    **dict.fromkeys(("ReasoningItem.summary", "SummaryText"), _SUMMARY),
    "CompactionItem": f"{_HERE}/test_compaction.py::test_it_stands_for_the_conversation_when_it_is_sent_back",
    "ReferenceItem": f"{_ITEMS}::test_a_reference_is_the_item_that_it_names",
    "ForeignItem": f"{_ITEMS}::test_a_step_of_another_servers_tool_is_left_out_and_listed",
    "AddedToolsItem": f"{_RTOOLS}::test_tools_that_are_added_in_the_input_are_offered",
    "ConversationReference": (
        f"{_HERE}/test_conversation_responses.py::test_its_items_come_first_and_the_text_is_added"
    ),
    "ContextManagement": f"{_HERE}/test_context_management.py::test_within_reach_nothing_changes",
    # Tools of a response.
    **dict.fromkeys(
        ("FunctionTool", "NamespaceTool"), f"{_RTOOLS}::test_a_namespaces_tools_are_functions_to_the_model"
    ),
    "FunctionTool.strict": _SETTINGS,
    **dict.fromkeys(
        ("CustomTool", "CustomFormat"), f"{_RTOOLS}::test_a_custom_tool_is_a_function_with_one_text"
    ),
    "HostedTool": f"{_RTOOLS}::test_a_hosted_tool_is_left_out_and_listed",
    "NamedChoice": _NAMED,
    **dict.fromkeys(("AllowedChoice", "AllowedTool"), f"{_RTOOLS}::test_only_allowed_tools_are_offered"),
    "AllowedTool.namespace": _NAMED,
    "RerankDocument": f"{_HERE}/test_rerank.py::test_documents_are_texts_or_objects_and_come_back",
    # Ollama's.
    **dict.fromkeys(
        ("Options", "OllamaMessage", "OllamaCall", "OllamaFunctionCall", "OllamaTool"), OLLAMA_REACHES
    ),
}
