"""What an API key has left, in OpenAI's headers."""

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from inference.accounts.rate_limits import LIMITS
from inference.core.principal import Principal

_KEY = "_metered_principal"


def attach(request: HttpRequest, principal: Principal) -> None:
    """Add the limits to the answer of this request."""
    setattr(request, _KEY, principal)


def add_to(request: HttpRequest, response: HttpResponseBase) -> None:
    principal: Principal | None = getattr(request, _KEY, None)
    if principal is None:
        return
    for name, left in LIMITS.of(principal).left(principal.allowance).items():
        response[f"x-ratelimit-limit-{name}"] = str(left.limit)
        response[f"x-ratelimit-remaining-{name}"] = str(left.remaining)
        response[f"x-ratelimit-reset-{name}"] = as_duration(left.reset_s)


def as_duration(seconds: float) -> str:
    """A duration in OpenAI's form: "850ms", "12s", "1h0m3s"."""
    if seconds < 1:
        return f"{seconds * 1000:.0f}ms"
    hours, rest = divmod(round(seconds), 3600)
    minutes, left = divmod(rest, 60)
    if hours:
        return f"{hours}h{minutes}m{left}s"
    return f"{minutes}m{left}s" if minutes else f"{left}s"
