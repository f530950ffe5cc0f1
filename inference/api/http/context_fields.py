"""The fields that tell a model's context, and how much of it fits memory."""

from typing import Any

from inference.core.pool_state import ContextFit


def context_fields(fit: ContextFit) -> dict[str, Any]:
    """Figures in tokens."""
    return {
        "context_length": fit.context,
        "context_limited_by": fit.limited_by,
        "context_own": fit.own,
        "context_fits_now": fit.now,
        "context_fits_alone": fit.alone,
    }
