"""A small OpenID provider with real keys: discovery, the authorisation code flow with PKCE, JWKS, UserInfo.

It signs in whoever it is told to, and its attributes make it lie in the ways that a provider can.
"""

import base64
import hashlib
import html
import json
import secrets
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

CLIENT, SECRET = "the-site", "a secret: of the client, and longer than a key"
RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EC_KEY = ec.generate_private_key(ec.SECP256R1())
OTHER_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
ANN = {"sub": "ann-1", "preferred_username": "ann", "email": "ann@team.example", "email_verified": True}


def public_pem() -> bytes:
    """The public RSA key as text: what an attacker takes for the secret of HS256."""
    return RSA_KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def jwk(key: Any, key_id: str) -> dict[str, Any]:
    kind = jwt.algorithms.ECAlgorithm if isinstance(key, ec.EllipticCurvePrivateKey) else None
    algorithm = kind or jwt.algorithms.RSAAlgorithm
    return {**json.loads(algorithm.to_jwk(key.public_key())), "kid": key_id, "use": "sig"}


class OpenIDProvider:
    """`with OpenIDProvider() as provider:` serves it at `provider.issuer`."""

    def __init__(self) -> None:
        self.claims: dict[str, Any] = dict(ANN)
        self.userinfo: dict[str, Any] = {}  # beside the subject
        self.keys: list[dict[str, Any]] = [jwk(RSA_KEY, "rsa"), jwk(EC_KEY, "ec")]
        self.sign: Callable[[dict[str, Any]], str] = signed
        self.changes: dict[str, Any] = {}  # of the ID token
        self.discovery: dict[str, Any] = {}  # changes of the document
        self.answers: dict[str, tuple[int, dict[str, str], bytes]] = {}  # in the place of its own, by path
        self.asks_for_a_click = False
        self.requests: list[tuple[str, dict[str, str]]] = []
        self._codes: dict[str, dict[str, str]] = {}
        self._exchanged: set[str] = set()

    def __enter__(self) -> Self:
        handler = type("Handler", (_Handler,), {"provider": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        self.issuer = f"http://127.0.0.1:{self._server.server_address[1]}/realms/team"
        return self

    def __exit__(self, *exception: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def document(self) -> dict[str, Any]:
        names = {
            "authorization_endpoint": "authorize",
            "token_endpoint": "token",
            "jwks_uri": "keys",
            "userinfo_endpoint": "userinfo",
            "end_session_endpoint": "leave",
        }
        own = {name: f"{self.issuer}/{path}" for name, path in names.items()}
        return {"issuer": self.issuer, **own, **self.discovery}

    def authorize(self, query: dict[str, str]) -> str:
        """The address that the person's browser is sent back to."""
        code = secrets.token_urlsafe(16)
        self._codes[code] = query
        back = {"code": code, "state": query["state"]}
        return f"{query['redirect_uri']}?{urlencode(back)}"

    def exchange(self, form: dict[str, str], authorization: str) -> tuple[int, dict[str, Any]]:
        """What the token endpoint answers: everything has to fit, and a code fits once."""
        if not self._is_client(form, authorization):
            return 401, {"error": "invalid_client"}
        asked = self._codes.get(form["code"], {})
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        fits = (
            form["code"] not in self._exchanged
            and asked.get("redirect_uri") == form["redirect_uri"]
            and asked.get("code_challenge_method") == "S256"
            and asked.get("code_challenge") == challenge
        )
        self._exchanged.add(form["code"])
        if not fits:
            return 400, {"error": "invalid_grant"}
        return 200, {"access_token": "for-userinfo", "id_token": self.sign(self._id_token(asked))}

    def _is_client(self, form: dict[str, str], authorization: str) -> bool:
        if "client_secret_post" in self.discovery.get("token_endpoint_auth_methods_supported", ()):
            return (form.get("client_id"), form.get("client_secret")) == (CLIENT, SECRET)
        encoded = urlencode({CLIENT: SECRET}).replace("=", ":")
        return authorization == f"Basic {base64.b64encode(encoded.encode()).decode()}"

    def _id_token(self, asked: dict[str, str]) -> dict[str, Any]:
        now = int(time.time())
        own = {"iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": asked["nonce"]}
        made = {**own, **self.claims, **self.changes}
        return {name: value for name, value in made.items() if value is not None}


def signed(claims: dict[str, Any]) -> str:
    return jwt.encode(claims, RSA_KEY, "RS256", headers={"kid": "rsa"})


def page_with_a_button(query: dict[str, str]) -> str:
    """The provider's own page, which asks who it is."""
    fields = [
        f'<input type="hidden" name="{name}" value="{html.escape(text)}">' for name, text in query.items()
    ]
    button = '<button name="yes" value="1">I am Ann</button>'
    return f"<!doctype html><title>Provider</title><form>{''.join(fields)}{button}</form>"


class _Handler(BaseHTTPRequestHandler):
    provider: OpenIDProvider

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        self._answer(parts.path, {name: values[0] for name, values in parse_qs(parts.query).items()})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self._answer(self.path, {name: values[0] for name, values in parse_qs(body).items()})

    def _answer(self, path: str, sent: dict[str, str]) -> None:
        place = path.removeprefix("/realms/team")
        self.provider.requests.append((place, sent))
        if place in self.provider.answers:
            self._send(*self.provider.answers[place])
        elif place == "/.well-known/openid-configuration":
            self._send_json(self.provider.document())
        elif place == "/authorize" and self.provider.asks_for_a_click and "yes" not in sent:
            self._send(200, {"Content-Type": "text/html"}, page_with_a_button(sent).encode())
        elif place == "/authorize":
            self._send(302, {"Location": self.provider.authorize(sent)}, b"")
        elif place == "/token":
            status, answer = self.provider.exchange(sent, self.headers.get("Authorization", ""))
            self._send_json(answer, status)
        elif place == "/keys":
            self._send_json({"keys": self.provider.keys})
        elif place == "/userinfo" and self.headers.get("Authorization") == "Bearer for-userinfo":
            self._send_json({"sub": self.provider.claims["sub"]} | self.provider.userinfo)
        elif place == "/leave":
            self._send(302, {"Location": sent["post_logout_redirect_uri"]}, b"")
        else:
            self._send(404, {}, b"")

    def _send_json(self, answer: dict[str, Any], status: int = 200) -> None:
        self._send(status, {"Content-Type": "application/json"}, json.dumps(answer).encode())

    def _send(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in (headers | {"Content-Length": str(len(body))}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """The output of tests is for tests."""
