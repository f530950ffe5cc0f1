"""The settings for signing in by OpenID Connect."""

import re
from importlib.util import find_spec
from pathlib import Path
from typing import Literal, get_args

from pydantic import Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings

from inference.core import addresses
from inference.core.installation import INSTALLATION
from inference.core.secret_setting import check_secret, read_secret

MappedRole = Literal["chat", "manage", "owner"]
_LIBRARY = "mozilla_django_oidc"
_ADDRESS = re.compile(r"(https?://[^/?#@\s]+)(/[^?#\s]*)?")


class OpenIDSettings(BaseSettings):
    """The provider, what it is asked for, and who of its people may do what here."""

    oidc_issuer: str = Field(
        "", description="URL of the OpenID provider for sign-in, such as `https://id.example`."
    )
    oidc_name: str = Field(
        "", max_length=60, description="Name of the provider after *Sign in with*; none uses its host."
    )
    oidc_client_id: str = Field(
        "", validate_default=True, description="The client id of this site at the provider."
    )
    oidc_client_secret: SecretStr | None = Field(None, description="The secret of that client.")
    oidc_client_secret_file: Path | None = Field(
        None, validate_default=True, description="File with that secret, such as a container secret."
    )
    oidc_scopes: str = Field("openid email profile", description="Requested scopes, separated by spaces.")
    oidc_groups_claim: str = Field(
        "groups", min_length=1, description="The claim with the groups of a user; `a.b` is `b` inside `a`."
    )
    oidc_roles: str = Field(
        "",
        description=(
            "Roles of groups (`chat`, `manage`, `owner`), such as `llm-users=chat,llm-admins=owner`."
        ),
    )
    oidc_email_domains: str = Field(
        "", description="Domains whose verified e-mail addresses may sign in, separated by commas."
    )
    oidc_sign_up: Literal["listed", "anybody", "nobody"] = Field(
        "listed",
        description="Who gets an account: users with a `listed` group or domain, `anybody`, or `nobody`.",
    )
    oidc_session_hours: int = Field(
        12, ge=1, le=720, description="Hours after which a user has to sign in at the provider again."
    )

    @field_validator("oidc_issuer")
    @classmethod
    def _is_an_issuer(cls, value: str) -> str:
        if not value:
            return value
        check_provider_address(value, is_issuer=True)
        if find_spec(_LIBRARY) is None:
            raise ValueError(f"it needs an optional part: {INSTALLATION.install_extra('oidc')}")
        return value

    @field_validator("oidc_client_id")
    @classmethod
    def _is_there_with_an_issuer(cls, value: str, field: ValidationInfo) -> str:
        if _issuer(field) and not value.strip():
            raise ValueError("give the client id that the provider has for this site")
        return value

    @field_validator("oidc_client_secret")
    @classmethod
    def _is_a_client_secret(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            check_secret(value.get_secret_value())
        return value

    @field_validator("oidc_client_secret_file")
    @classmethod
    def _is_one_secret(cls, value: Path | None, field: ValidationInfo) -> Path | None:
        is_given = field.data.get("oidc_client_secret") is not None
        if value and is_given:
            raise ValueError("give MLX_SERVER_OIDC_CLIENT_SECRET or this file, not both")
        if value:
            _read(value)
        elif _issuer(field) and "oidc_client_secret" in field.data and not is_given:
            raise ValueError("name a file with the client's secret, or set MLX_SERVER_OIDC_CLIENT_SECRET")
        return value

    @field_validator("oidc_scopes")
    @classmethod
    def _has_openid(cls, value: str) -> str:
        if "openid" not in value.split():
            raise ValueError("`openid` must be among them, such as `openid email profile`")
        return " ".join(value.split())

    @field_validator("oidc_roles")
    @classmethod
    def _are_roles(cls, value: str) -> str:
        for pair in _listed(value):
            group, mark, role = pair.rpartition("=")
            if not mark or not group.strip() or role.strip() not in get_args(MappedRole):
                raise ValueError(
                    f"{pair!r} is none; write GROUP=chat, GROUP=manage or GROUP=owner, by commas"
                )
        return value

    @field_validator("oidc_email_domains")
    @classmethod
    def _are_domains(cls, value: str) -> str:
        return ",".join(addresses.host_name(one.removeprefix("@")).lstrip(".") for one in _listed(value))

    @field_validator("oidc_client_id", "oidc_client_secret", "oidc_roles", "oidc_email_domains")
    @classmethod
    def _has_an_issuer(cls, value: SecretStr | str | None, field: ValidationInfo) -> SecretStr | str | None:
        if value and field.data.get("oidc_issuer") == "":
            raise ValueError("it has no effect without MLX_SERVER_OIDC_ISSUER, the URL of the provider")
        return value

    @property
    def oidc_label(self) -> str:
        """What people call the provider; empty where none is set."""
        return self.oidc_name.strip() or addresses.host_of(_origin(self.oidc_issuer))

    @property
    def oidc_secret(self) -> str:
        """The client's secret as it is now; raises OSError or ValueError where its file cannot be read."""
        if self.oidc_client_secret_file:
            return read_secret(self.oidc_client_secret_file)
        return self.oidc_client_secret.get_secret_value() if self.oidc_client_secret else ""

    @property
    def oidc_role_of(self) -> dict[str, str]:
        """The role of each group that has one."""
        pairs = (pair.rpartition("=") for pair in _listed(self.oidc_roles))
        return {group.strip(): role.strip() for group, _, role in pairs}

    @property
    def oidc_domains(self) -> frozenset[str]:
        return frozenset(_listed(self.oidc_email_domains))


def check_provider_address(address: str, *, is_issuer: bool = False) -> None:
    """Raise ValueError for what is no address of `https`; plain `http` is for this machine alone."""
    found = _ADDRESS.fullmatch(address) if is_issuer else _ADDRESS.match(address)
    if not found:
        raise ValueError(f"{address!r} is not a URL: give one such as https://id.example/realms/team")
    if address.startswith("http://") and not addresses.is_loopback(addresses.host_of(found[1])):
        raise ValueError(
            f"{address!r} must begin with https://, because otherwise anybody on the network path could sign "
            "in"
        )


def _origin(address: str) -> str:
    found = _ADDRESS.match(address)
    return found[1] if found else ""


def _issuer(field: ValidationInfo) -> str:
    return str(field.data.get("oidc_issuer", ""))


def _listed(value: str) -> list[str]:
    return [one.strip() for one in value.split(",") if one.strip()]


def _read(path: Path) -> None:
    try:
        read_secret(path)
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeError:
        raise ValueError(f"the secret in {path} is no text") from None
    except ValueError as error:
        raise ValueError(f"the secret in {path}: {error}") from None
