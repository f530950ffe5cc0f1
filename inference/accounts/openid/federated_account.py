"""The account of a person of the provider: found by issuer and subject alone, or made."""

import logging
import re
import unicodedata
from itertools import count

from django.contrib.auth.models import User
from django.db import transaction

from inference.accounts import roles
from inference.accounts.openid.admission import role_of
from inference.accounts.openid.errors import NotAdmitted
from inference.accounts.openid.person import Person
from inference.accounts.roles import LastOwner, Role
from inference.core.openid_settings import OpenIDSettings
from inference.models.federated_identity import FederatedIdentity

logger = logging.getLogger(__name__)
_NOT_IN_NAMES = re.compile(r"[^\w.@+-]+")
_MOST_OF_A_NAME = 100


def account_of(person: Person, config: OpenIDSettings) -> User:
    """The active account of a person, made if it may be, with the role of its groups; raises NotAdmitted."""
    with transaction.atomic():
        known = FederatedIdentity.objects.select_related("user")
        identity = known.filter(issuer=person.issuer, subject=person.subject).first()
        role = role_of(person, config, has_account=identity is not None)
        user = identity.user if identity else _make(person)
        if not user.is_active:
            raise NotAdmitted(f"the account {user.get_username()!r} is not active")
        if role and roles.role_of(user) != role:
            _give(user, role)
    return user


def _make(person: Person) -> User:
    """A new account without a password, under a name that nobody has."""
    name = _free_name(_wanted_name(person))
    user: User = User.objects.create_user(name, email=person.email)
    FederatedIdentity.objects.create(user=user, issuer=person.issuer, subject=person.subject)
    logger.info("Created the account %r for a user of %s", name, person.issuer)
    return user


def _wanted_name(person: Person) -> str:
    for wanted in (person.name, person.email.partition("@")[0]):
        text = _NOT_IN_NAMES.sub("-", unicodedata.normalize("NFKC", wanted)).strip("-")
        if text:
            return text[:_MOST_OF_A_NAME]
    return "person"


def _free_name(wanted: str) -> str:
    """The name, with a number behind it where an account has it in small or large letters."""
    names = (wanted if number == 1 else f"{wanted}-{number}" for number in count(1))
    return next(name for name in names if not User.objects.filter(username__iexact=name).exists())


def _give(user: User, role: Role) -> None:
    try:
        roles.give(user, role)
    except LastOwner as error:
        logger.warning("%s The provider's groups would make it %r", error, roles.LABELS[role])
    else:
        logger.info("By the provider's groups, the account %r %s now", user.get_username(), _says(role))


def _says(role: Role) -> str:
    return "is an owner" if role == Role.OWNER else roles.LABELS[role]
