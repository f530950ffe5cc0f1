"""Password checks of this process: two at a time, since each takes a core for a third of a second.

They run in the threads of their requests, off the event loop. More than a few that wait are refused by the
forms for signing in (sign_in_form.py), which anybody may send.
"""

import threading

from django.contrib.auth.hashers import PBKDF2PasswordHasher

_MOST_AT_ONCE = 2
_CHECKS = threading.BoundedSemaphore(_MOST_AT_ONCE)


class PasswordHasher(PBKDF2PasswordHasher):
    """Django's own, and what it stores is the same."""

    def encode(self, password: str, salt: str, iterations: int | None = None) -> str:
        with _CHECKS:
            return super().encode(password, salt, iterations)
