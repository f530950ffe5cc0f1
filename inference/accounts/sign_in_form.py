"""The forms for signing in, of the playground and the admin: throttled, and logged with the address."""

import contextlib
import logging
import threading
from collections.abc import Iterator
from typing import Any

from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth.forms import AuthenticationForm
from django.core.exceptions import ValidationError

from inference.accounts import sign_in_throttle
from inference.accounts.sign_in_throttle import SignInThrottled

logger = logging.getLogger(__name__)
THROTTLED, BUSY = "throttled", "busy"
_MOST_WAITING = 8  # each of them holds a thread
_WAITING = threading.BoundedSemaphore(_MOST_WAITING)


class _Throttled(AuthenticationForm):
    """Counts each attempt before its password is checked; `retry_after` is set where it was refused."""

    retry_after = 0

    def clean(self) -> dict[str, Any]:
        name, password = self.cleaned_data.get("username"), self.cleaned_data.get("password")
        if not name or not password:
            return super().clean()
        address = self.request.META.get("REMOTE_ADDR", "") if self.request else ""
        with _place_in_line():
            self._admit(name, address)
            try:
                cleaned = super().clean()
            except ValidationError:
                logger.warning("A sign-in from %s failed", address or "an unknown address")
                raise
        sign_in_throttle.note_success(name, address)
        logger.info("%r signed in from %s", name, address or "an unknown address")
        return cleaned

    def _admit(self, name: str, address: str) -> None:
        try:
            sign_in_throttle.admit(name, address)
        except SignInThrottled as throttled:
            self.retry_after = throttled.retry_after
            raise ValidationError(too_many_failures(self.retry_after), code=THROTTLED) from None


class SignInForm(_Throttled):
    """That of the playground."""


class AdminSignInForm(_Throttled, AdminAuthenticationForm):
    """That of the admin, for staff only."""


@contextlib.contextmanager
def _place_in_line() -> Iterator[None]:
    if not _WAITING.acquire(blocking=False):
        text = "Too many sign-ins are in progress. Please try again in a few seconds."
        raise ValidationError(text, code=BUSY)
    try:
        yield
    finally:
        _WAITING.release()


def too_many_failures(seconds: int) -> str:
    """What a visitor reads who has to wait for so long."""
    return (
        f"Too many attempts to sign in have failed. Try again in {_duration(seconds)}, or ask an "
        "administrator to lift the wait."
    )


def _duration(seconds: int) -> str:
    minutes = -(-seconds // 60)
    if minutes <= 1:
        return "a minute" if seconds > 30 else f"{seconds} seconds"
    return f"{minutes} minutes"
