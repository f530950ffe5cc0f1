"""One-time links with which the owner of an account sets its password, made by an operator."""

from django.contrib.auth.models import User
from django.contrib.auth.tokens import default_token_generator
from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode


def path_of(user: User) -> str:
    """The path of a link. It works once, for a day (PASSWORD_RESET_TIMEOUT), and until the next sign-in."""
    number = urlsafe_base64_encode(force_bytes(user.pk))
    return reverse("password_link", args=[number, default_token_generator.make_token(user)])
