"""The caller of a request: its scopes and allowances."""

from typing import Literal

from msgspec import Struct

Scope = Literal["chat", "embeddings", "manage", "metrics"]
SCOPES: tuple[Scope, ...] = ("chat", "embeddings", "manage", "metrics")


class Allowance(Struct, frozen=True, kw_only=True):
    """How much one API key may do; None where it has no limit."""

    requests_per_minute: int | None = None
    tokens_per_day: int | None = None
    streams: int | None = None  # at the same time


class Principal(Struct, frozen=True, kw_only=True):
    """The caller: the owner of an API key, a signed-in user, or anybody on an open loopback site."""

    kind: Literal["local", "key", "user"]
    name: str = ""  # a user's, or the visible beginning of a key; empty for the operator's own key
    scopes: tuple[Scope, ...] = SCOPES
    models: frozenset[str] = frozenset()  # ids that it sees and may use; empty for all
    allowance: Allowance = Allowance()
    account: str = ""  # the user name behind it; empty for the operator's own key and on an open site

    def may_use(self, *ids: str) -> bool:
        """Whether it sees and may use a model of one of these ids: of a variant, its own and its base's."""
        return not self.models or not self.models.isdisjoint(ids)

    @property
    def owner(self) -> str:
        """The owner of its prefix cache: no caller may discover another one's prompts by their speed."""
        return f"{self.kind}:{self.name}"

    @property
    def share(self) -> str:
        """The account that its streams count for: that of its browsers and all of its keys."""
        return f"user:{self.account}" if self.account else self.owner


ANYBODY = Principal(kind="local")  # on an open loopback site
