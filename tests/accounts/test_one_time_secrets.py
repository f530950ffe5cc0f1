import pytest

from inference.accounts.one_time_secrets import OneTimeSecrets


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
