"""The verification of an ID token (OpenID Connect Core, section 3.1.3.7), all but its nonce."""

from collections.abc import Sequence
from typing import Any

import jwt

from inference.accounts.openid.errors import SignInRefused

_KEY_TYPES = {"RS256": "RSA", "ES256": "EC"}  # by algorithm; no others, so no key is taken for a secret
_REQUIRED = ["iss", "sub", "aud", "exp", "iat", "nonce"]
_LEEWAY_S = 60  # clocks differ
_MOST_KEYS = 100


def matching_key(token: str, keys: Sequence[Any]) -> jwt.PyJWK:
    """The key of the provider that should have signed the token; raises SignInRefused."""
    try:
        header = jwt.get_unverified_header(token)
    except jwt.PyJWTError as error:
        raise SignInRefused(f"the ID token is malformed: {error}") from None
    algorithm, key_id = header.get("alg"), header.get("kid")
    if algorithm not in _KEY_TYPES:
        raise SignInRefused(f"the ID token has the algorithm {algorithm!r}; it must be RS256 or ES256")
    fitting = [key for key in keys[:_MOST_KEYS] if isinstance(key, dict) and _fits(key, algorithm, key_id)]
    if len(fitting) != 1:
        raise SignInRefused(f"of the provider's keys, {len(fitting)} may have signed the ID token")
    try:
        return jwt.PyJWK(fitting[0], algorithm)
    except jwt.PyJWTError as error:
        raise SignInRefused(f"the provider's key cannot be used: {error}") from None


def _fits(key: dict[str, Any], algorithm: str, key_id: str | None) -> bool:
    return (
        key.get("kty") == _KEY_TYPES[algorithm]
        and key.get("alg", algorithm) == algorithm
        and key.get("use", "sig") == "sig"
        and (key_id is None or key.get("kid") == key_id)
    )


def verified(token: str, key: jwt.PyJWK, *, issuer: str, client_id: str) -> dict[str, Any]:
    """The claims of a token that this provider made for this client now; raises SignInRefused."""
    try:
        claims = jwt.decode(
            token,
            key,
            algorithms=list(_KEY_TYPES),
            audience=client_id,
            issuer=issuer,
            leeway=_LEEWAY_S,
            options={"require": _REQUIRED},
        )
    except jwt.PyJWTError as error:
        raise SignInRefused(f"the ID token is not valid: {error}") from None
    parties, party = claims["aud"], claims.get("azp")
    if party != client_id and (party is not None or (isinstance(parties, list) and len(parties) > 1)):
        raise SignInRefused(f"the ID token was made for another client: {party!r}")
    return claims
