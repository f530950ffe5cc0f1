"""tests/ mirrors the source: a file of logic has a test file at the same place."""

from pathlib import Path

from inference.core.config import BASE_DIR
from tests.test_architecture import sources

# Data, ports and wiring: nothing that a test of their own could find wrong.
WITHOUT_LOGIC = [
    "accounts/openid/errors",
    "adapters/piece",
    "adapters/reasoning_state",
    "adapters/tokenizer",
    "api/operator/api",
    "api/vllm/api",
    "api/vllm/schemas",
    "apps",
    "connect/errors",
    "connect/merging/errors",
    "core/events",
    "core/upstream",
    "models/download",
    "models/quantisation",
    "models/health_check",
    "models/log_line",
    "models/sign_in",
    "models/stored_conversation",
    "models/stored_response",
    "models/usage_limits",
    "pool/options",
    "pool/residency/records",
    "pool/workers/runner",
    "repository/downloads/active_download",
    "repository/downloads/errors",
    "repository/conversions/active_conversion",
    "repository/conversions/refusal",
    "repository/quantising/active_quantisation",
    "serving/event_observer",
    "serving/recording/request_entry",
    "worker/speculation/speculation",
    "playground/apps",
    "playground/file_text/limits",
    "playground/models",
    "playground/openid_urls",
    "playground/schemas",
    "playground/urls",
    "mlxsite/settings",
    "mlxsite/urls",
]
# A file, or a folder's files without a test file of their own: the test file that tests them.
TESTED_BY = {
    "adapters/harmony": "adapters/families/test_gpt_oss",
    "adapters/harmony_calls": "adapters/families/test_gpt_oss",
    "admin/dashboard/rows": "admin/dashboard/test_page",
    "admin/conversion_view": "admin/test_quantisation_admin",
    "admin/current_state": "admin/test_model_form",
    "admin/page_admin": "admin/test_health_admin",
    "admin/discover_rows": "admin/test_discover_page",
    "admin/model_list": "admin/test_model_admin",
    "admin/quantisation_form": "admin/test_quantisation_admin",
    "admin/quantisation_view": "admin/test_quantisation_admin",
    "admin/usage/row_links": "admin/usage/test_usage_admin",
    "admin/usage/usage_page": "admin/usage/test_usage_admin",
    "admin/upstream_form": "admin/test_upstream_admin",
    "admin/rights_field": "admin/test_account_forms",
    "admin/utc_input": "admin/test_key_admin",
    "admin/model_list_socket": "api/http/test_live_socket",
    "api/anthropic/message_writer": "api/anthropic/test_content_blocks",
    "api/anthropic/openapi_objects": "api/openai/test_openapi_document",
    "api/anthropic/schemas": "api/openai/test_reference",
    "api/http/context_fields": "api/openai/test_models",
    "api/http/single_outcome": "api/openai/test_tokenize",
    "api/ollama/answer_writer": "api/ollama/test_answering",
    "api/ollama/schemas": "api/openai/test_reference",
    "api/openai/call_formats": "api/openai/test_older_functions",
    "api/openai/custom_input": "api/openai/test_custom_tools",
    "api/openai/conversations": "api/openai/test_conversations",
    "api/openai/responses": "api/openai/test_responses",
    "api/openai/schemas": "api/openai/test_reference",
    "connect/agent_names": "admin/test_agent_aliases",
    "connect/agents": "connect/test_clients",
    "connect/apps": "connect/test_clients",
    "connect/editors": "connect/test_clients",
    "connect/programs": "connect/test_clients",
    "models/federated_identity": "accounts/openid/test_federated_account",
    "models/sampling_fields": "models/test_model_profile",
    "management/bench": "management/bench/test_rows",
    "management/commands/bench": "e2e/test_bench",
    "management/commands/pin": "management/test_pin_command",
    "management/commands/serve": "e2e/test_serve",
    "management/commands/unpin": "management/test_pin_command",
    "management/quantisation_maker": "management/commands/test_quantise",
    "management/shutdown": "e2e/test_drain",
    "management/commands/restore": "management/commands/test_backup",
    "mlxsite/__main__": "mlxsite/test_wheel",
    "mlxsite/stream_request": "mlxsite/test_server",
    "accounts/cached_table": "accounts/test_key_ring",
    "accounts/openid/backend": "playground/test_openid",
    "accounts/openid/id_token": "playground/test_openid",
    "accounts/openid/library_settings": "playground/test_openid",
    "accounts/password_link": "playground/test_sign_in",
    "api/http/raw_body": "playground/test_transfer_api",
    "playground/attached_files": "playground/test_attachments_api",
    "playground/models_socket": "api/http/test_live_socket",
    "playground/permission": "playground/test_chats_socket",
    "playground/current_state": "playground/test_large_conversations",
    "playground/export_all": "playground/test_transfer_api",
    "playground/file_text/process": "playground/file_text/test_reading",
    "playground/imports": "playground/imports/test_importer",
    "playground/seeing_models": "playground/test_pictures_api",
    "playground/visitor": "playground/test_api_conversations",
    "repository/conversions/model_name": "repository/quantising/test_plan",
    "repository/downloads/download_process": "repository/downloads/test_process",
    "repository/quantising/register": "repository/conversions/test_register",
    "serving/gguf_imports": "api/operator/test_gguf",
    "serving/health/checks/blas": "management/commands/test_doctor",
    "serving/health/checks/cpu_kernels": "management/commands/test_doctor",
    "pool/workers/child_process": "pool/workers/test_worker_process",
    "repository/discovery/remote_weights": "repository/discovery/test_remote_model",
    "repository/downloads/hub_settings": "repository/discovery/test_hub_search",
    "serving/discovery/hub_questions": "api/operator/test_hub",
    "serving/backups/database_copy": "serving/backups/test_backup",
    "core/conversion": "repository/conversions/test_register",
    "core/gguf_import": "repository/test_gguf_import",
    "core/quantisation": "repository/quantising/test_report_file",
    "core/secret_setting": "core/test_config",
    "storage/conversation_store": "api/openai/test_conversations",
    "storage/last_read": "storage/test_operator_choices",
    "storage/item_references": "api/openai/test_response_items",
    "storage/response_retention": "api/openai/test_conversations",
    "templatetags/capture": "admin/test_capture_admin",
    "templatetags/dashboard": "admin/dashboard/test_views",
    "templatetags/downloads": "admin/test_download_admin",
    "templatetags/labelled_cells": "admin/test_console_in_browser",
    "templatetags/openid": "playground/test_openid",
    "templatetags/shelves": "admin/test_shelves",
    "templatetags/times": "admin/test_times",
    "upstreams/connection": "upstreams/test_upstream_runner",
    "upstreams/engines": "upstreams/test_request_body",
    "worker/__main__": "pool/workers/test_worker_process",
    "worker/baseline": "management/bench/test_rows",
    "worker/conversion/__main__": "worker/conversion/test_conversion",
    "worker/conversion_run": "worker/quantisation/test_process",
    "worker/embedding": "pool/test_worker_embeddings",
    "worker/engine": "worker/engine/test_batch",
    "worker/free_model": "worker/test_step_cost",
    "worker/memory": "pool/test_worker_prefixes",
    "worker/kv_quantization/packed_kv": "worker/kv_quantization/test_quantized_kv",
    "worker/model": "pool/test_worker_families",
    "worker/open_request": "worker/test_open_requests",
    "worker/sampling/grammar_compiler": "worker/sampling/test_grammar",
    "worker/sampling/xtc": "worker/sampling/test_repetition",
    "worker/quantisation/__main__": "worker/quantisation/test_process",
    "worker/quantisation/weights": "worker/quantisation/test_quantise",
    "worker/self_test": "pool/workers/test_self_test",
    "worker/session": "pool/workers/test_worker_process",
    "worker/speculation/draft_loading": "pool/test_worker_draft_model",
    "worker/text/answer_thinking": "worker/text/test_prompts",
    "worker/text/prompt_pictures": "worker/vision/families/test_pixtral",
    "worker/token_logprobs": "worker/test_open_requests",
    "worker/vision/rows": "worker/vision/test_seeing_embedding",
    "worker/vision/seen": "worker/vision/test_places",
}


def own_place(path: Path) -> str:
    """`pool/pins` of inference/pool/pins.py, and `playground/store` of playground/store.py."""
    return path.relative_to(BASE_DIR).with_suffix("").as_posix().removeprefix("inference/")


def has_mirror(place: str) -> bool:
    """Whether tests/ has a test file at the same place, perhaps with more behind its name."""
    folder, _, name = f"tests/{place}".rpartition("/")
    return any(list((BASE_DIR / folder).glob(f"test_{name}{more}.py")) for more in ("", "_*"))


def test_each_file_of_logic_has_a_test_file() -> None:
    bare = {
        place for path in sources() if path.name != "__init__.py" and not has_mirror(place := own_place(path))
    }
    listed = {*WITHOUT_LOGIC, *TESTED_BY}
    missing = {place for place in bare if place not in listed and place.rpartition("/")[0] not in TESTED_BY}
    assert missing == set()
    places = {own_place(path) for path in sources()}
    folders = {place.rpartition("/")[0] for place in places}
    assert listed - places - folders == set()  # each of them exists
    assert {test for test in TESTED_BY.values() if not (BASE_DIR / f"tests/{test}.py").exists()} == set()
