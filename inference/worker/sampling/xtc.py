"""XTC: leave the likeliest choices out, now and then."""

import mlx.core as mx


def without_top_choices(logits: mx.array, thresholds: mx.array) -> mx.array:
    """Logits (R, V) without the tokens at least as likely as the row's threshold, (R, 1).

    The least likely of these stays (https://github.com/oobabooga/text-generation-webui/pull/6335).
    """
    probabilities = mx.softmax(logits, axis=-1)
    is_choice = probabilities >= thresholds
    least = mx.where(is_choice, probabilities, mx.array(mx.inf)).min(axis=-1, keepdims=True)
    return mx.where(is_choice & (probabilities > least), mx.array(-mx.inf, logits.dtype), logits)
