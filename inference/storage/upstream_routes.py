"""Which models other servers answer for, as the operator has set it up."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import cast

from django.conf import settings
from django.db import close_old_connections
from pydantic import SecretStr

from inference.core.upstream import Address, Engine, Route
from inference.models import Upstream, UpstreamModel
from inference.storage import encrypted_text
from inference.storage.encrypted_text import Undecryptable

_PURPOSE = "upstream-key"
_LOST_KEY = (
    "its key cannot be read, because this site's secret key has changed since it was entered; enter it again"
)
_SWITCHED_OFF = "it is disabled"


def seal(key: str) -> str:
    """An API key as it is stored; empty for none."""
    return encrypted_text.encrypt(key, _PURPOSE) if key else ""


def address_problem(upstream: Upstream) -> str:
    """Why an upstream is given no requests, as a text; empty where it is."""
    if not upstream.is_enabled:
        return _SWITCHED_OFF
    return host_problem(upstream) or ("" if _key_of(upstream) is not None else _LOST_KEY)


def host_problem(upstream: Upstream) -> str:
    """Why the host of an upstream may not be asked; empty where it may, and where the setting names none."""
    allowed = settings.CONFIG.allowed_upstream_hosts
    if not allowed or {upstream.host, upstream.host_name}.intersection(allowed):
        return ""
    return f"{upstream.host} is not in MLX_SERVER_UPSTREAM_HOSTS"


def address_of(row: UpstreamModel) -> Address:
    """Where a model is answered for; its key is empty where it cannot be read."""
    return address_at(row.upstream, row.name_there)


def address_at(upstream: Upstream, model: str = "") -> Address:
    """The address of an upstream for a model of this name there."""
    key = _key_of(upstream)
    return Address(
        upstream=upstream.name,
        base_url=upstream.base_url,
        model=model,
        engine=cast(Engine, upstream.engine),
        key=key or SecretStr(""),
    )


def read() -> tuple[Route, ...]:
    """Read the routes from the database, those without any address to be asked included."""
    rows = UpstreamModel.objects.select_related("upstream").order_by("model", "upstream__name")
    try:
        return tuple(_routes(rows))
    finally:
        close_old_connections()


def _routes(rows: Iterable[UpstreamModel]) -> Iterator[Route]:
    of_model: dict[str, list[UpstreamModel]] = defaultdict(list)
    for row in rows:
        of_model[row.model].append(row)
    for model, its in of_model.items():
        problems = {row.upstream.name: address_problem(row.upstream) for row in its}
        used = [row for row in its if not problems[row.upstream.name]]
        yield Route(
            model=model,
            context_length=min(row.context_length for row in used or its),
            takes_tools=all(row.takes_tools for row in used or its),
            can_reason=all(row.can_reason for row in used or its),
            sees=all(row.sees for row in used or its),
            most_streams=_most_streams(used),
            created=int(min(row.upstream.created_at for row in its).timestamp()),
            addresses=tuple(map(address_of, used)),
            problem="" if used else "; ".join(f"{name}: {text}" for name, text in problems.items()),
        )


def _most_streams(rows: Iterable[UpstreamModel]) -> int:
    """Those of all upstreams together; 0, the site's own limit, where one of them names none."""
    each = [row.most_streams for row in rows]
    return sum(each) if all(each) else 0


def _key_of(upstream: Upstream) -> SecretStr | None:
    """The key, empty where there is none; None where it cannot be read any more."""
    if not upstream.sealed_key:
        return SecretStr("")
    try:
        return SecretStr(encrypted_text.decrypt(upstream.sealed_key, _PURPOSE))
    except Undecryptable:
        return None
