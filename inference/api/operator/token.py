"""A proof that the caller has this site's secret key: so `manage.py` beside it can always speak to it."""

from django.core import signing

_SALT = "mlxsite.operator"
_CONTENT = "operator"
LASTS_S = 60


def make() -> str:
    return signing.dumps(_CONTENT, salt=_SALT)


def is_good(authorization: str) -> bool:
    """Whether an Authorization header carries a token of this site that has not expired."""
    scheme, _, given = authorization.partition(" ")
    try:
        loaded = signing.loads(given.strip(), salt=_SALT, max_age=LASTS_S)
    except signing.BadSignature:  # also of an expired one
        return False
    return scheme.lower() == "bearer" and loaded == _CONTENT
