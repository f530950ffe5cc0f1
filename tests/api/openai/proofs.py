"""The tests that prove what each field does, by the field's path in the body of an endpoint."""

from collections.abc import Mapping

from tests.api.anthropic import proofs as anthropic

_CLIENT = "e2e/test_openai_client.py"
_FIELDS = "e2e/test_openai_fields.py"
_STRUCTURED = "e2e/test_openai_structured_output.py"
_SCHEMAS = "api/openai/test_schemas.py"
HANDLING_FILE = "api/openai/test_field_handling.py"
_TOOLS = "api/openai/test_tool_schemas.py"
_ANSWERS = "pool/test_worker_answers.py"
_GRAMMAR = "pool/test_worker_grammar.py"
_CALLS = "worker/text/test_answer_calls.py"
_SAMPLING = "worker/sampling/test_kernels.py"
_TRUNCATION = "worker/sampling/test_truncation.py"
_RESPONSES = "api/openai/test_responses.py"
_REPETITION = "worker/sampling/test_repetition.py"
_RULES = "worker/sampling/test_token_rules.py"
_FORMS = "worker/sampling/test_answer_grammar.py"
_BUDGET = "worker/sampling/test_thinking_budget.py"
_LIMITS = "worker/text/test_answer_limits.py"
_THINKING = "adapters/test_thinking.py"
_CONTINUED = "adapters/chat_template/test_continuation.py"
_EXTRAS = "api/openai/test_answer_extras.py"
_TOKENS = "api/openai/test_token_details.py"
_ITEMS = "api/openai/test_response_items.py"
_FUNCTIONS = "api/openai/test_older_functions.py"
_RTOOLS = "api/openai/test_response_tools.py"
_STREAMS = "api/openai/test_response_streams.py"
_CHAT = "api/openai/test_chat_completions.py"
_COMPLETIONS = "api/openai/test_completions.py"
_KEPT = "api/openai/test_responses_kept.py"
_CONVERSATIONS = "api/openai/test_conversations.py"
_IN_ONE = "api/openai/test_conversation_responses.py"
_WINDOW = "api/openai/test_context_management.py"
_VECTORS = "pool/test_worker_embeddings.py"
OLLAMA_FILE = "api/ollama/test_field_handling.py"
_ANSWERED = "api/ollama/test_answering.py"
_RERANK = "api/openai/test_rerank.py"
_SCORES = "pool/test_worker_rerank.py"
AT_ROOT_FILE = "api/vllm/test_tokenizer.py"
_EMBED = "api/ollama/test_embeddings.py"
REFUSED = f"{HANDLING_FILE}::test_it_refuses_each_field_it_does_not_do"
NOTED = "api/test_noted_fields.py::test_what_is_noted_changes_nothing_and_is_listed"
ALIAS = f"{HANDLING_FILE}::test_other_spellings_mean_the_same"
# By the field's path, or by its name alone where one test covers every endpoint.
OLLAMA_REACHES = f"{OLLAMA_FILE}::test_a_field_reaches_the_model"
PROOFS: Mapping[str, str] = {
    "model": f"{_CLIENT}::test_it_lists_the_model",
    "messages": f"{_CLIENT}::test_it_answers_whole",
    "functions": f"{_FUNCTIONS}::test_functions_are_tools_and_their_call_is_written_in_the_older_form",
    "function_call": f"{_FUNCTIONS}::test_the_choice_among_functions_reaches_the_model",
    "speculative": "worker/engine/test_speculative_decode.py::test_an_answer_that_opted_out_has_no_drafts",
    "prediction": "worker/engine/test_speculative_decode.py::test_a_right_prediction_takes_few_steps",
    "temperature": f"{_SAMPLING}::test_draws_follow_the_probabilities",
    "top_p": f"{_SAMPLING}::test_top_p_keeps_the_smallest_set_that_reaches_it",
    "top_k": f"{_TRUNCATION}::test_top_k_keeps_so_many_even_among_equals",
    "min_p": f"{_TRUNCATION}::test_min_p_drops_what_is_too_unlikely_beside_the_likeliest",
    "presence_penalty": "worker/sampling/test_token_sampler.py::test_logits_are_penalised_and_biased",
    "frequency_penalty": "worker/engine/test_batch.py::test_a_frequency_penalty_counts_the_answer_only",
    "repetition_penalty": "worker/sampling/test_token_sampler.py::test_logits_are_penalised_and_biased",
    "logit_bias": f"{_CLIENT}::test_penalties_and_biases_do_what_they_say",
    "seed": f"{_FIELDS}::test_a_seed_repeats_the_answer",
    "n": f"{_ANSWERS}::test_each_of_n_answers_is_what_its_seed_gives_alone",
    "stop": f"{_CLIENT}::test_a_stop_string_cuts_the_text_at_any_token_boundary",
    "stream": f"{_CHAT}::test_the_stream_begins_with_the_role_and_ends_with_done",
    "stream_options": f"{_CHAT}::test_usage_is_streamed_only_when_asked",
    "timings": f"{_EXTRAS}::test_timings_come_where_they_are_asked_for",
    "return_progress": f"{_EXTRAS}::test_progress_comes_where_it_is_asked_for",
    "completions.stream": f"{_COMPLETIONS}::test_the_stream_opens_at_once_and_closes_with_done",
    "completions.stream_options": f"{_COMPLETIONS}::test_usage_is_streamed_when_asked",
    "user": "serving/test_generation.py::test_prefixes_are_kept_apart_where_the_client_says_so",
    "ignore_eos": f"{_ANSWERS}::test_an_answer_may_go_on_after_its_end",
    "max_tokens": f"{_CLIENT}::test_max_tokens_ends_with_length",
    "max_completion_tokens": f"{_SCHEMAS}::test_it_takes_both_names_of_the_length_when_they_agree",
    "logprobs": f"{_CLIENT}::test_log_probabilities_come_with_every_token",
    "top_logprobs": f"{_CLIENT}::test_log_probabilities_come_with_every_token",
    "completions.logprobs": f"{_CLIENT}::test_the_older_endpoint_has_the_offset_of_each_token",
    "tools": f"{_STRUCTURED}::test_a_required_call_streams_and_its_result_is_answered",
    "tool_choice": f"{_GRAMMAR}::test_a_required_call_is_made_by_a_model_that_never_learnt_to",
    "parallel_tool_calls": f"{_CALLS}::test_where_one_call_is_allowed_the_answer_ends_with_it",
    "response_format": f"{_STRUCTURED}::test_an_answer_follows_its_schema",
    "reasoning_effort": f"{_THINKING}::test_an_effort_becomes_a_level_that_the_template_knows",
    "chat_template_kwargs": "adapters/test_base.py::test_an_option_that_the_template_knows_reaches_it",
    "repetition_window": f"{_REPETITION}::test_a_window_forgets_what_is_further_back",
    "xtc_probability": f"{_REPETITION}::test_xtc_leaves_the_top_choices_out_but_for_the_least_of_them",
    "xtc_threshold": f"{_REPETITION}::test_xtc_leaves_the_top_choices_out_but_for_the_least_of_them",
    **dict.fromkeys(
        ("dry_multiplier", "dry_base"),
        f"{_REPETITION}::test_dry_penalises_what_would_go_on_with_a_repetition",
    ),
    **dict.fromkeys(
        ("dry_allowed_length", "dry_penalty_last_n", "dry_sequence_breakers"),
        f"{_REPETITION}::test_dry_leaves_the_rest_alone",
    ),
    "prompt_logprobs": f"{_TOKENS}::test_a_prompt_has_its_log_probabilities_by_token_id",
    "return_token_ids": f"{_TOKENS}::test_every_token_of_an_answer_has_its_id",
    "return_tokens": f"{_TOKENS}::test_every_token_of_an_answer_has_its_id",
    "truncate_prompt_tokens": "worker/text/test_prompt_truncation.py::test_the_last_tokens_are_kept",
    "embeddings.truncate_prompt_tokens": f"{_VECTORS}::test_the_last_tokens_of_a_text_are_kept",
    "min_tokens": f"{_RULES}::test_no_end_comes_before_the_least_number_of_tokens",
    "stop_token_ids": f"{_LIMITS}::test_a_token_that_stops_is_no_part_of_the_text",
    "allowed_token_ids": f"{_RULES}::test_allowed_tokens_are_the_only_ones_but_for_the_end",
    "bad_words": f"{_RULES}::test_a_banned_word_never_gets_its_last_token",
    "structured_outputs": f"{_FORMS}::test_an_answer_has_its_form",
    **dict.fromkeys(
        ("guided_choice", "guided_regex", "guided_grammar", "grammar"),
        f"{_FORMS}::test_an_answer_has_its_form",
    ),
    **dict.fromkeys(
        ("guided_json", "json_schema"), "api/openai/test_answer_forms.py::test_a_schema_has_many_names"
    ),
    "completions.response_format": f"{_FORMS}::test_a_raw_completion_has_its_form_too",
    "continue_final_message": f"{_CONTINUED}::test_the_prompt_ends_with_the_text_that_goes_on",
    "add_generation_prompt": f"{HANDLING_FILE}::test_a_last_assistant_message_is_continued",
    **dict.fromkeys(
        ("enable_thinking", "think", "thinking", "reasoning"),
        f"{_THINKING}::test_thinking_is_switched_off_and_would_be_closed_at_once",
    ),
    "thinking_budget": f"{_BUDGET}::test_the_closing_marker_is_forced_after_exactly_so_many_tokens",
    "include_reasoning": f"{_EXTRAS}::test_reasoning_stays_away_where_it_is_not_wanted",
    "metadata": "serving/test_tracing.py::test_a_request_has_its_caller_and_its_own_labels",
    "safety_identifier": f"{_TOOLS}::test_it_reads_the_user_and_the_options_of_templates",
    "prompt_cache_key": "serving/test_generation.py::test_prefixes_are_kept_apart_where_the_client_says_so",
    "prompt": f"{_CLIENT}::test_prompts_of_tokens_and_texts_are_answered_in_order",
    "suffix": "worker/text/test_prompts.py::test_a_gap_is_filled_between_prompt_and_suffix",
    "echo": f"{_CLIENT}::test_an_echo_is_scored_token_by_token",
    "responses.reasoning": f"{_RESPONSES}::test_settings_reach_the_model",
    "responses.input": f"{_RESPONSES}::test_items_become_the_messages_of_a_chat",
    "instructions": f"{_RESPONSES}::test_text_is_a_users_message",
    "previous_response_id": f"{_KEPT}::test_a_conversation_goes_on_from_a_stored_response",
    "conversation": f"{_IN_ONE}::test_its_items_come_first_and_the_text_is_added",
    "context_management": f"{_WINDOW}::test_what_is_too_long_is_summarised_and_then_answered",
    "conversations": f"{_CONVERSATIONS}::test_a_conversation_is_made_shown_changed_and_deleted",
    "conversations.metadata": f"{_CONVERSATIONS}::test_a_conversation_is_made_shown_changed_and_deleted",
    **dict.fromkeys(
        ("conversation update", "conversation update.metadata"),
        f"{_CONVERSATIONS}::test_a_conversation_is_made_shown_changed_and_deleted",
    ),
    "conversation items": f"{_CONVERSATIONS}::test_items_are_added_listed_shown_and_deleted",
    "include": f"{_ITEMS}::test_sealed_reasoning_comes_back_to_the_model",
    "background": "api/openai/test_background_responses.py::test_it_is_queued_at_once_and_completed_later",
    "responses.top_logprobs": f"{_STREAMS}::test_every_token_of_the_text_has_its_log_probability",
    "responses.tools": f"{_RTOOLS}::test_a_namespaces_tools_are_functions_to_the_model",
    "responses.tool_choice": f"{_RTOOLS}::test_only_allowed_tools_are_offered",
    "responses.parallel_tool_calls": f"{_RESPONSES}::test_settings_reach_the_model",
    "responses.text": f"{_RESPONSES}::test_the_form_of_the_text_is_enforced",
    "max_output_tokens": f"{_RESPONSES}::test_settings_reach_the_model",
    "store": f"{_KEPT}::test_what_is_not_to_be_stored_is_not",
    "responses.stream": f"{_RESPONSES}::test_the_events_of_a_stream_come_in_order",
    "responses.stream_options": f"{_RESPONSES}::test_what_it_does_not_do_is_refused_by_name",
    "truncation": f"{_ITEMS}::test_what_asks_for_what_is_never_there_is_noted",
    "input": f"{_VECTORS}::test_a_text_has_the_same_vector_alone_and_beside_others",
    "encoding_format": "api/openai/test_embeddings.py::test_base64_holds_little_endian_floats",
    "dimensions": f"{_VECTORS}::test_fewer_dimensions_are_the_first_ones_brought_to_length",
    "embeddings.user": "api/openai/test_embeddings.py::test_each_input_has_its_vector",
    "truncate": f"{_VECTORS}::test_a_text_that_is_too_long_is_cut_where_that_is_asked_for",
    "query": f"{_SCORES}::test_a_cross_encoder_scores_as_its_formula_says",
    "documents": f"{_RERANK}::test_documents_are_texts_or_objects_and_come_back",
    "top_n": f"{_RERANK}::test_only_so_many_are_returned",
    "return_documents": f"{_RERANK}::test_documents_are_texts_or_objects_and_come_back",
    "max_tokens_per_doc": f"{_SCORES}::test_a_long_document_is_cut_where_that_is_asked_for_and_where_it_must",
    "rerank.user": f"{_RERANK}::test_documents_are_texts_or_objects_and_come_back",
    "vllm/tokenize text": f"{AT_ROOT_FILE}::test_tokens_may_come_without_those_around_a_text",
    "vllm/tokenize chat": f"{AT_ROOT_FILE}::test_a_conversation_ends_as_it_is_asked_for",
    "vllm/tokenize chat.tools": f"{AT_ROOT_FILE}::test_functions_are_a_part_of_the_prompt",
    **{
        f"vllm/{body}.model": f"{AT_ROOT_FILE}::test_a_model_may_be_named"
        for body in ("tokenize text", "tokenize chat", "detokenize")
    },
    "vllm/detokenize": f"{AT_ROOT_FILE}::test_tokens_become_text_again",
    "ollama/chat": OLLAMA_REACHES,
    "ollama/generate": OLLAMA_REACHES,
    "ollama/chat.model": f"{_ANSWERED}::test_a_model_has_its_name_with_and_without_its_tag",
    "ollama/generate.model": f"{_ANSWERED}::test_a_model_has_its_name_with_and_without_its_tag",
    "ollama/chat.stream": f"{_ANSWERED}::test_a_stream_is_the_same_answer_in_lines",
    "ollama/generate.stream": f"{_ANSWERED}::test_a_prompt_is_answered_whole_and_streamed",
    "ollama/embed": f"{_EMBED}::test_a_field_reaches_the_model",
    "ollama/embed.model": f"{_EMBED}::test_each_input_has_its_vector",
    "ollama/embed.input": f"{_EMBED}::test_each_input_has_its_vector",
    "ollama/embed.truncate": f"{_VECTORS}::test_a_text_that_is_too_long_is_cut_where_that_is_asked_for",
    "ollama/embeddings": f"{_EMBED}::test_the_older_endpoint_takes_one_text_and_cuts_nothing",
    "ollama/show": "api/ollama/test_models.py::test_a_model_is_shown",
    "control": "api/openai/test_answer_control.py::test_reasoning_is_ended_by_the_id_of_the_answer",
    "tokens": "api/openai/test_tokenize.py::test_tokens_become_text_again",
    **anthropic.PROOFS,
}
# That a field reaches the model, where its effect is proved there and test_reaching.py has no row for it.
ARRIVALS: Mapping[str, str] = {
    **anthropic.ARRIVALS,
    "rerank.query": f"{_RERANK}::test_the_best_document_comes_first",
    "rerank.max_tokens_per_doc": f"{_RERANK}::test_the_length_of_a_document_reaches_the_model",
    "ollama/embed.truncate": f"{_EMBED}::test_a_field_reaches_the_model",
}
