"""Addresses and names that operators give, in the one form that everything compares them in."""

import ipaddress
import re
import socket

_WEB_PORTS = {"http": "80", "https": "443"}
EVERYWHERE = frozenset({"0.0.0.0", "::"})  # noqa: S104 - compared, not bound
# First steps of the addresses that are the site's own; a test compares them with its URLs.
TAKEN = frozenset(
    {
        *(
            "admin",
            "api",
            "c",
            "chat",
            "detokenize",
            "favicon.ico",
            "keys",
            "health",
            "login",
            "logout",
            "metrics",
        ),
        *("password", "ready", "rerank", "s", "static", "tokenize", "tokenizer_info", "v1", "v2", "ws"),
    }
)
_PATH = re.compile(r"(?:/[A-Za-z0-9_][A-Za-z0-9._-]*)+")
_NUMBERS = re.compile(r"(?:0x[0-9a-f]+|\d+)(?:\.(?:0x[0-9a-f]+|\d+)){0,3}")
_NAME = re.compile(r"\.?[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)*")


def listening(given: str) -> str:
    """An address to listen on, as sockets write it; ValueError says what else it is.

    Sockets take one address in many spellings (`127.1`, `0x7f.1`, `::ffff:127.0.0.1`), and whether only this
    machine can reach it must not depend on the spelling.
    """
    text = given.strip().lower().rstrip(".")
    if not text:
        raise ValueError("it is empty; give an address such as 127.0.0.1, or unset it")
    if address := _ip(text):
        return address
    if _is_name(text) and not text.startswith("."):
        return text
    raise ValueError(
        f"{given!r} is not an address: give one without http://, port or path, such as 127.0.0.1"
    )


def is_loopback(address: str) -> bool:
    """Whether only this machine can reach an address as `listening` writes it."""
    if address == "localhost":
        return True
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def host_name(given: str) -> str:
    """A host name as browsers send it; ValueError says what to write instead."""
    text = given.strip().lower().rstrip(".")
    if "*" in text:
        raise ValueError("name each host; `*` would let any web page reach this server (DNS rebinding)")
    if address := _ip(text):
        return in_url(address)
    try:
        name = text.encode("idna").decode() if not text.isascii() else text
    except UnicodeError:
        name = ""
    if _is_name(name):
        return name
    without = f"give it without http://, port or path{_instead(text)}"
    raise ValueError(f"{given.strip()!r} is not a host name: {without}")


def fetched_host(given: str) -> str:
    """A host name, and its port if it has one, that something may be fetched from; ValueError says more."""
    text = given.strip().lower()
    if "*" in text:
        raise ValueError("name each host; with `*` a request could have this server fetch anything")
    name, colon, port = text.partition(":")
    if not _is_name(name) or name.startswith(".") or _ip(name):
        raise ValueError(
            f"{given.strip()!r} is not a host name: give it without http:// or path, as img.example"
        )
    if colon and not (port.isdecimal() and 0 < int(port) < 65_536):
        raise ValueError(f"{given.strip()!r} has no port between 1 and 65535")
    return text


def upstream_host(given: str) -> str:
    """A host name or address, with a port or for all ports; ValueError says what to write instead."""
    name, colon, port = given.strip().rpartition(":")
    if not (name and port.isdecimal()) or (":" in name and not name.endswith("]")):
        return host_name(given)
    if not 0 < int(port) < 65_536:
        raise ValueError(f"{given.strip()!r} has no valid port")
    return f"{host_name(name)}:{int(port)}"


def origin(given: str) -> str:
    """An origin as browsers send it, or a scheme alone such as `app://`; ValueError says what else to write.

    Pages of `http` and `https` are named one by one. Programs that show pages of their own have other
    schemes, often with a new host for each window (`vscode-webview://1a2b3c`), so a scheme stands for all
    of these.
    """
    text = given.strip().lower().rstrip("/" if not given.strip().endswith("://") else "")
    scheme, mark, host = text.partition("://")
    if "*" in text or text == "null":
        raise ValueError(f"{given.strip()!r} would let any web page use this server; name each origin")
    if not mark or not re.fullmatch(r"[a-z][a-z0-9+.-]*", scheme):
        raise ValueError(
            f"{given.strip()!r} is not an origin: give scheme and host, such as https://chat.example"
        )
    if scheme not in _WEB_PORTS:
        if host and not re.fullmatch(r"[a-z0-9._-]+(:\d{1,5})?", host):
            raise ValueError(
                f"{given.strip()!r} is not an origin: give it without a path, such as app://obsidian.md"
            )
        return text
    name, colon, port = host.rpartition(":") if re.search(r":\d+$", host) else (host, "", "")
    if not name or any(char in name for char in "/?#@ ") or name.startswith("."):
        raise ValueError(
            f"{given.strip()!r} is not an origin: give it without a path, such as {scheme}://host"
        )
    known = host_name(name)
    if colon and not 0 < int(port) < 65_536:
        raise ValueError(f"{given.strip()!r} has no valid port")
    return f"{scheme}://{known}" if port in ("", _WEB_PORTS[scheme]) else f"{scheme}://{known}:{int(port)}"


def web_origin(given: str) -> str:
    """An origin of `http` or `https`; ValueError says what else to write."""
    known = origin(given)
    if known.partition("://")[0] not in _WEB_PORTS:
        raise ValueError(
            f"{given.strip()!r} is not the URL of a web site: give one such as https://llm.example"
        )
    return known


def host_of(web: str) -> str:
    """The host name or the IP address in an origin."""
    host = web.partition("://")[2]
    name = re.sub(r":\d+$", "", host)
    return name[1:-1] if name.startswith("[") else name


def local_names() -> list[str]:
    """Host names that reach this machine and that no public DNS can give to another one.

    `.internal` and `.local` are reserved (https://www.icann.org/en/board-activities-and-meetings/materials,
    RFC 6762), so a web page cannot point such a name here. Programs in containers say `host.docker.internal`.
    """
    own = socket.gethostname().lower().rstrip(".")
    is_private = _is_name(own) and ("." not in own or own.endswith((".local", ".internal")))
    return [".internal", ".local", *([own] if is_private else [])]


def free_path(given: str) -> str:
    """A path below which nothing of the site's own is, or empty for none; ValueError says what is wrong."""
    path = given.strip().rstrip("/")
    if not path:
        return ""
    if not _PATH.fullmatch(path):
        raise ValueError(f"{given!r} is not a path: give one such as /ollama, or leave it empty for none")
    if path.split("/")[1].lower() in TAKEN:
        raise ValueError(f"{given!r} is an address of the site itself: give another one, such as /ollama")
    return path


def in_url(address: str) -> str:
    """An address as it stands in a URL and in a Host header."""
    return f"[{address}]" if ":" in address else address


def _is_name(text: str) -> bool:
    return bool(_NAME.fullmatch(text)) and not text.rpartition(".")[2].isdigit()  # those are addresses


def _ip(text: str) -> str:
    """The usual spelling of an IP address; empty for what is none."""
    is_bracketed = text.startswith("[") and text.endswith("]")
    try:
        found = ipaddress.ip_address(text[1:-1] if is_bracketed else text)
    except ValueError:
        return "" if is_bracketed else _of_numbers(text)
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return str(mapped or found)


def _of_numbers(text: str) -> str:
    """An IPv4 address in fewer numbers, or in hexadecimal ones, as sockets take it too."""
    if not _NUMBERS.fullmatch(text):
        return ""
    try:
        return socket.inet_ntoa(socket.inet_aton(text))
    except OSError:
        return ""


def _instead(text: str) -> str:
    """What was probably meant, where a whole address was given."""
    name = re.sub(r"^[a-z+.-]+://", "", text).partition("/")[0]
    name = re.sub(r":\d*$", "", name)
    return f": {name}" if name != text and _is_name(name) else ""


def neighbourhood(address: str) -> str:
    """What stands for a client where attempts are counted: its IPv4 address, or the /64 of an IPv6 one.

    Empty for this machine and for what is no address.
    """
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return ""
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is None:
            return "" if ip.is_loopback else str(ipaddress.ip_network((ip, 64), strict=False))
        ip = ip.ipv4_mapped
    return "" if ip.is_loopback else str(ip)


def network(given: str) -> str:
    """An address or network such as `10.0.0.0/8` of a proxy; ValueError says what else it is."""
    try:
        return str(ipaddress.ip_network(given.strip(), strict=False))
    except ValueError:
        text = f"{given.strip()!r} is not an address or network: give one such as 127.0.0.1 or 10.0.0.0/8"
        raise ValueError(text) from None
