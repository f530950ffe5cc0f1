"""The figures of an answer: its token counts as OpenAI gives them, its times as llama.cpp does."""

from typing import Any

from inference.core.events import Finished, Usage


def timings_of(finished: Finished) -> dict[str, Any]:
    """llama.cpp's `timings`: tokens that were computed, and milliseconds."""
    usage, seconds = finished.usage, finished.timings
    computed, made = usage.prompt_tokens - usage.cached_tokens, usage.completion_tokens
    return {
        "cache_n": usage.cached_tokens,
        "prompt_n": computed,
        "prompt_ms": seconds.prefill_s * 1000,
        "prompt_per_second": computed / seconds.prefill_s if seconds.prefill_s else None,
        "predicted_n": made,
        "predicted_ms": seconds.decode_s * 1000,
        "predicted_per_second": made / seconds.decode_s if seconds.decode_s else None,
        "queue_ms": seconds.queue_s * 1000,
    } | drafts_of(usage)


def drafts_of(usage: Usage) -> dict[str, Any]:
    """llama.cpp's counts of drafted tokens, where there were any."""
    if not usage.drafted_tokens:
        return {}
    return {"draft_n": usage.drafted_tokens, "draft_n_accepted": usage.accepted_tokens}


def usage_of(usage: Usage) -> dict[str, Any]:
    return {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.prompt_tokens + usage.completion_tokens,
        "prompt_tokens_details": {"cached_tokens": usage.cached_tokens},
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning_tokens}
        | _prediction_of(usage)
        | truncation_of(usage),
    }


def _prediction_of(usage: Usage) -> dict[str, Any]:
    """How many tokens of the request's prediction came out and how many were tried in vain, if it had one."""
    if usage.predicted_tokens is None:
        return {}
    return {
        "accepted_prediction_tokens": usage.accepted_predicted_tokens,
        "rejected_prediction_tokens": usage.predicted_tokens - usage.accepted_predicted_tokens,
    }


def truncation_of(usage: Usage) -> dict[str, Any]:
    """Whether a budget has ended the reasoning, where one did."""
    return {"reasoning_truncated": True} if usage.reasoning_truncated else {}
