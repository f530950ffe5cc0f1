"""Accounts and browsers with somebody signed in, for tests of who may do what."""

from typing import Any

from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.contrib.auth.models import Permission, User
from django.contrib.sessions.backends.base import SessionBase
from django.test import Client


def hash_passwords_quickly() -> None:
    """Hash passwords of this process in one round; Django's million takes a third of a second each."""
    PBKDF2PasswordHasher.iterations = 1


def client_of(name: str, *rights: str, **facts: Any) -> Client:
    """The browser of a new account, staff unless `is_staff` is false, with these rights alone."""
    person = User.objects.create_user(name, **({"is_staff": True} | facts))
    person.groups.clear()
    person.user_permissions.set(Permission.objects.filter(codename__in=rights))
    return signed_in(person)


def session_of(person: User | None) -> SessionBase:
    """The session of a browser, with this account signed in if there is one."""
    return signed_in(person).session if person else Client().session


def signed_in(person: User) -> Client:
    client = Client(headers={"host": "127.0.0.1"})
    client.force_login(person)
    return client
