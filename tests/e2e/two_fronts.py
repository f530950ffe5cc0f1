"""Two real fronts of one site: one database, one Redis, one upstream that answers slowly, and a proxy."""

import asyncio
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from inference.core.data_folder import DATABASE
from tests.e2e.site import ROOT, Site
from tests.e2e.tls_proxy import proxy_of_fronts
from tests.playground.site import free_port
from tests.redis_server import RedisServer, redis_server
from tests.upstreams.fake_server import USAGE, Wire, delta, fake_server

MODEL = "slow"
LONG_WORDS, ENDLESS_WORDS = 80, 10_000
_PAUSE_S = 0.05
_SET_UP = """
import json, sys
from django.contrib.auth.models import Permission, User
from django.test import Client
from inference.models.api_key import ApiKey
from inference.models.upstream import Upstream, UpstreamModel
there = Upstream.objects.create(name="there", base_url=sys.argv[1])
UpstreamModel.objects.create(upstream=there, model="slow", name="theirs")
ann = User.objects.create_user("ann", is_staff=True, is_superuser=True)
made = {}
limited = {"frequent": {"requests_per_minute": 6}, "single": {"concurrent_streams": 1}, "ends": {}}
for name, limits in limited.items():
    key = ApiKey(name=name, owner=ann, **limits)
    made[name] = key.give_secret()
    key.save()
    made[name + "_pk"] = key.pk
client = Client()
client.force_login(ann)
made["session"] = client.cookies["mlxsite_session"].value
print(json.dumps(made))
"""


@dataclass
class TwoFronts:
    """The fronts, and what was made in their database: keys with their secrets, and a session."""

    one: Site
    other: Site
    redis: RedisServer
    url: str  # of the proxy
    made: dict[str, Any]

    def headers(self, key: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.made[key]}"}


async def _answer(wire: Wire) -> None:
    """As many words as are asked for, each a moment after the one before."""
    asked = wire.received.body["messages"][-1]["content"]
    await wire.begin()
    await wire.chunks(delta(role="assistant", content=""))
    count = ENDLESS_WORDS if "endless" in asked else LONG_WORDS if "long" in asked else 3
    for number in range(count):
        await wire.chunks(delta(content=f"word{number} "))
        await asyncio.sleep(_PAUSE_S)
    await wire.chunks(delta(finish="stop"), USAGE, "[DONE]")


@contextmanager
def upstream() -> Iterator[str]:
    """The address of a slow server, which has a thread of its own."""
    loop, started, end = asyncio.new_event_loop(), threading.Event(), asyncio.Event()
    address = ""

    async def serve() -> None:
        nonlocal address
        async with fake_server(_answer) as server:
            address = f"http://127.0.0.1:{server.port}/v1"
            started.set()
            await end.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),), daemon=True)
    thread.start()
    assert started.wait(20)
    try:
        yield address
    finally:
        loop.call_soon_threadsafe(end.set)
        thread.join(20)


@contextmanager
def two_fronts(folder: Path, proxy: str = "caddy", database: str = "") -> Iterator[TwoFronts]:
    """Both, started one after the other as docs/fronts.md says; on SQLite, or in an empty `database`."""
    with ExitStack() as stack:
        redis, there = stack.enter_context(redis_server(folder)), stack.enter_context(upstream())
        port = free_port()
        env = {
            "MLX_SERVER_REDIS_URL": redis.url,
            "MLX_SERVER_ORIGINS": f"https://localhost:{port}",
            "MLX_SERVER_TRUSTED_PROXIES": "127.0.0.1",
            "MLX_SERVER_TITLES": "false",
            "MLX_SERVER_UPSTREAM_HOSTS": "127.0.0.1",
        }
        env |= {"MLX_SERVER_DATABASE_URL": database} if database else {}
        is_new = bool(database)
        first, second = folder / "front1", folder / "front2"
        one = stack.enter_context(Site(first, "--no-starter", env=env, is_new=is_new)).wait_ready(420)
        second.mkdir(mode=0o700)
        if not database:
            (second / DATABASE).symlink_to(first / DATABASE)
        (second / "secret_key").write_bytes((first / "secret_key").read_bytes())
        other = stack.enter_context(Site(second, "--no-starter", env=env, is_new=is_new)).wait_ready(420)
        command = [sys.executable, "manage.py", "shell", "-c", _SET_UP.replace("sys.argv[1]", repr(there))]
        shell = subprocess.run(command, cwd=ROOT, env=one._env, capture_output=True, text=True, check=True)
        made = json.loads(shell.stdout.splitlines()[-1])
        stack.enter_context(proxy_of_fronts(proxy, folder, [one.url, other.url], port))
        yield TwoFronts(one, other, redis, f"https://localhost:{port}", made)


def chat(content: str, **fields: Any) -> dict[str, Any]:
    """The body of a chat."""
    return {"model": MODEL, "messages": [{"role": "user", "content": content}], **fields}


def web(address: str, **options: Any) -> httpx.Client:
    return httpx.Client(base_url=address, verify=False, timeout=60, **options)  # noqa: S501 - our own
