"""How requests ended, in words: for each finish reason and each code of an error that a record may have."""

import re
from collections import Counter

from django.db.models import Q

from inference.models.request_record import RequestRecord

FINISHES = {
    "stop": "Completed",
    "length": "Reached its token limit",
    "tool_calls": "Called a tool",
}
CUTS = {"memory": "Cut off, memory was full"}  # by what ended an answer of the reason "length" early
ERRORS = {
    "all_pinned": "Memory was full of pinned models",
    "body_too_large": "Body too large",
    "context_length_exceeded": "Prompt too long",
    "conversation_changed": "The chat had changed",
    "conversation_locked": "The conversation was in use",
    "empty_image_file": "Empty image file",
    "failed_to_download_image": "Image could not be downloaded",
    "headers_too_large": "Headers too large",
    "image_file_too_large": "Image file too large",
    "image_parse_error": "Image could not be read",
    "image_too_large": "Image has too many pixels",
    "internal_error": "Server error",
    "invalid_api_key": "API key not valid",
    "invalid_base64_image": "Image was not valid base64",
    "invalid_image": "Image not valid",
    "invalid_image_url": "Image URL not valid",
    "invalid_json": "Not valid JSON",
    "invalid_request_error": "Request not valid",
    "invalid_value": "A value was not valid",
    "method_not_allowed": "Method not allowed",
    "model_load_failed": "The model failed to load",
    "model_not_found": "No such model",
    "model_too_large": "Too large for memory",
    "mutually_exclusive_parameters": "Fields exclude each other",
    "not_found": "Not found",
    "permission_denied": "Not permitted",
    "pool_full": "Memory was full of busy models",
    "previous_response_not_found": "Previous response not found",
    "queue_full": "The queue was full",
    "rate_limit_exceeded": "Limit of the key or account",
    "request_too_slow": "Request sent too slowly",
    "server_error": "Not available",
    "shutting_down": "The server was shutting down",
    "stopped_by_operator": "Stopped by an operator",
    "storage_full": "The disk was full",
    "storage_quota_exceeded": "Storage of the account used up",
    "template_error": "The chat template failed",
    "too_many_connections": "Too many connections",
    "unsupported_image_media_type": "Image type not supported",
    "unsupported_media_type": "Media type not supported",
    "unsupported_parameter": "Field not supported",
    "upstream_failed": "The other server failed",
    "upstream_unreachable": "The other server could not be reached",
    "worker_died": "The model's process died",
}
LEFT, DONE = "Cancelled by the client", "Done"
_FINISH = re.compile(r"(?P<reasons>.*?)(?: \((?P<cut>\w+)\))?")


def ending(record: RequestRecord) -> str:
    """How a request ended, in words."""
    if record.error:
        return error_text(record.error)
    return LEFT if record.has_left else finish_text(record.finish)


def code(record: RequestRecord) -> str:
    """What the record has in place of words; empty where there is nothing but the words."""
    return record.error or ("" if record.has_left else record.finish)


def error_text(error: str) -> str:
    """The code of an error in words; one of an older version as it is."""
    return ERRORS.get(error, error)


def finish_text(finish: str) -> str:
    """The reasons of a record in words, the same ones of several answers once with their number."""
    found = _FINISH.fullmatch(finish)
    if not finish or found is None:
        return finish or DONE
    texts = {**FINISHES, "length": CUTS.get(found["cut"] or "", FINISHES["length"])}
    counted = Counter(texts.get(reason, reason) for reason in found["reasons"].split(", "))
    return "; ".join(f"{text} (×{number})" if number > 1 else text for text, number in counted.items())


def like(term: str) -> Q:
    """The records whose ending has this term in its words."""
    sought = term.lower()
    found = Q(error__in=[error for error, text in ERRORS.items() if sought in text.lower()])
    for reason, text in {**FINISHES, **CUTS}.items():
        if sought in text.lower():
            found |= Q(finish__contains=reason)
    return found | Q(has_left=True) if sought in LEFT.lower() else found
