import asyncio
from pathlib import Path

import pytest

from inference.accounts.one_time_secrets import OneTimeSecrets
from inference.fronts import connection
from tests.redis_server import front_of, needs_redis, redis_server, until


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def secrets(clock: Clock) -> OneTimeSecrets:
    return OneTimeSecrets(lives_s=300, clock=clock)


def test_a_secret_is_given_out_once(secrets: OneTimeSecrets) -> None:
    token = secrets.keep(7, "mlx-secret", "a session")
    made = secrets.take(token, "a session")
    assert made and (made.key, made.secret) == (7, "mlx-secret")
    assert secrets.take(token, "a session") is None


def test_it_is_for_the_session_that_made_it_and_stays_there_for_it(secrets: OneTimeSecrets) -> None:
    token = secrets.keep(7, "mlx-secret", "a session")
    assert secrets.take(token, "another") is None and secrets.take("guessed", "a session") is None
    assert secrets.take(token, "a session")


def test_it_is_forgotten_after_a_while_also_when_nobody_asks(secrets: OneTimeSecrets, clock: Clock) -> None:
    old = secrets.keep(7, "mlx-secret", "a session")
    clock.now = 300
    assert secrets.take(old, "a session") is None
    secrets.keep(8, "mlx-other", "a session")
    assert "mlx-secret" not in str(vars(secrets))


@needs_redis
async def test_fronts_give_a_secret_out_once_together(tmp_path: Path) -> None:
    with redis_server(tmp_path) as server:
        async with front_of(server) as front, front_of(server) as other:
            here, there = OneTimeSecrets(find_front=lambda: front), OneTimeSecrets(find_front=lambda: other)
            token = await asyncio.to_thread(here.keep, 7, "the-secret", "session")
            with connection.blocking(server.url) as client:
                kept = [client.get(name) for name in client.scan_iter("*once:*")]
            assert len(kept) == 1 and b"the-secret" not in kept[0]
            assert await asyncio.to_thread(there.take, token, "another session") is None
            shown = await asyncio.to_thread(there.take, token, "session")
            assert shown and (shown.key, shown.secret) == (7, "the-secret")
            for secrets in (here, there):
                assert await asyncio.to_thread(secrets.take, token, "session") is None
            server.stop()
            await until(lambda: front.is_lost)
            token = await asyncio.to_thread(here.keep, 7, "kept here", "session")
            shown = await asyncio.to_thread(here.take, token, "session")
            assert shown and shown.secret == "kept here"
