"""How often and how long a download retries."""

import email.utils
from dataclasses import dataclass
from datetime import UTC, datetime

from inference.core.whole_number import whole_number


@dataclass(frozen=True, kw_only=True)
class RetryPolicy:
    """Retry policy: consecutive attempts without progress, and timeouts in seconds."""

    tries: int = 5
    pause_s: float = 0.5  # doubled each time
    longest_pause_s: float = 30.0  # longer Retry-After values end the download
    connect_s: float = 5.0
    stall_s: float = 20.0
    answer_s: float = 120.0  # for an answer that is read into memory as a whole


def retry_after_s(retry_after: str) -> float:
    """The seconds of Retry-After, which may be a date; 0 when it is missing or not valid."""
    if (seconds := whole_number(retry_after.strip())) is not None:
        return float(seconds)
    try:
        until = email.utils.parsedate_to_datetime(retry_after)
    except ValueError:
        return 0.0
    return max(0.0, (until.replace(tzinfo=until.tzinfo or UTC) - datetime.now(UTC)).total_seconds())


def duration_text(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} seconds"
    return f"{seconds / 60:.0f} minutes" if seconds < 7200 else f"{seconds / 3600:.0f} hours"
