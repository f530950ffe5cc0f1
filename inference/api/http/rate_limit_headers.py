"""What an API key has left, as OpenAI's headers tell it."""

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from inference.accounts.rate_limits import LIMITS
from inference.core.principal import Principal

_KEY = "_metered_principal"


def attach(request: HttpRequest, principal: Principal) -> None:
    """Have the answer to this request tell what is left."""
    setattr(request, _KEY, principal)


def tell(request: HttpRequest, response: HttpResponseBase) -> None:
    principal: Principal | None = getattr(request, _KEY, None)
    if principal is None:
        return
    for name, left in LIMITS.of(principal).left(principal.allowance).items():
        response[f"x-ratelimit-limit-{name}"] = str(left.limit)
        response[f"x-ratelimit-remaining-{name}"] = str(left.remaining)
        response[f"x-ratelimit-reset-{name}"] = in_words(left.reset_s)


def in_words(seconds: float) -> str:
    """A duration in OpenAI's form: "850ms", "12s", "1h0m3s"."""
    if seconds < 1:
        return f"{seconds * 1000:.0f}ms"
    hours, rest = divmod(round(seconds), 3600)
    minutes, left = divmod(rest, 60)
    if hours:
        return f"{hours}h{minutes}m{left}s"
    return f"{minutes}m{left}s" if minutes else f"{left}s"
