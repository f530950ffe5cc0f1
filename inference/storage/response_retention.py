"""How long stored responses and conversations are kept."""

from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone


def oldest() -> datetime:
    """What was made or last used before is never shown."""
    return timezone.now() - timedelta(days=settings.CONFIG.response_days)
