"""Whether a person of the provider is let in, and as what."""

from inference.accounts.openid.errors import NotAdmitted
from inference.accounts.openid.person import Person
from inference.accounts.roles import Role
from inference.core.openid_settings import OpenIDSettings

_FROM_THE_LOWEST = (Role.CHAT, Role.MANAGE, Role.OWNER)


def role_of(person: Person, config: OpenIDSettings, *, has_account: bool) -> Role | None:
    """The role that the provider's groups give; None where operators give roles here. Raises NotAdmitted.

    Where groups or domains are listed, a person who is in none of them any more is kept out, too.
    """
    mapped = {Role(role) for group, role in config.oidc_role_of.items() if group in person.groups}
    is_listed = bool(mapped) or person.email_domain in config.oidc_domains
    has_lists = bool(config.oidc_roles or config.oidc_domains)
    if not has_account and config.oidc_sign_up == "nobody":
        raise NotAdmitted(f"the subject {person.subject!r} has no account, and sign-in creates none")
    is_enough = is_listed or config.oidc_sign_up == "anybody" or (has_account and not has_lists)
    if not is_enough:
        raise NotAdmitted(
            f"the subject {person.subject!r} is in no group of MLX_SERVER_OIDC_ROLES and has no verified "
            "address of MLX_SERVER_OIDC_EMAIL_DOMAINS"
        )
    if not config.oidc_roles:
        return None
    return max(mapped, key=_FROM_THE_LOWEST.index, default=Role.CHAT)
