"""Password checks are bounded, and what they store is Django's."""

import threading
from typing import Any

import pytest
from django.contrib.auth.hashers import PBKDF2PasswordHasher, check_password, make_password

from inference.accounts.password_hasher import PasswordHasher


def test_two_run_at_the_same_time_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    running, most, two = 0, 0, threading.Barrier(2)
    lock = threading.Lock()

    def encode(self: Any, password: str, salt: str, iterations: int | None = None) -> str:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        two.wait(10)  # none ends before there are two
        with lock:
            running -= 1
        return ""

    monkeypatch.setattr(PBKDF2PasswordHasher, "encode", encode)
    threads = [threading.Thread(target=PasswordHasher().encode, args=("a", "b")) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert most == 2


def test_what_it_stores_is_djangos(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PBKDF2PasswordHasher, "iterations", 1)
    stored = make_password("secret")
    assert stored.startswith("pbkdf2_sha256$1$") and PBKDF2PasswordHasher().verify("secret", stored)
    assert check_password("secret", stored) and not check_password("guess", stored)
