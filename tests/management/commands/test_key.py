from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from inference.core import key_secret
from inference.core.profile import Profile
from inference.models.api_key import ApiKey
from tests.accounts.making import make_key
from tests.fakes import FakeRunner, card, serving

pytestmark = pytest.mark.django_db


def key(*args: str) -> str:
    out = StringIO()
    call_command("key", *args, stdout=out, stderr=StringIO())
    return out.getvalue().strip()


def test_create_prints_the_secret_and_nothing_else() -> None:
    User.objects.create_user("ann")
    made = key(
        "create", "laptop", "--owner", "ann", "--scope", "manage", "--expires", "30d", "--streams", "2"
    )
    kept = ApiKey.objects.get()
    assert key_secret.is_right(made, kept.digest)
    assert (kept.scopes, kept.concurrent_streams) == (("manage",), 2)
    assert key("create", "prometheus", "--owner", "ann", "--scope", "metrics")
    assert ApiKey.objects.latest("pk").scopes == ("metrics",)
    assert kept.expires_at and timedelta(days=29) < kept.expires_at - datetime.now(UTC) <= timedelta(days=30)


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("--owner", "bob"), "There is no user 'bob'"),
        (("--owner", "ann", "--requests-per-minute", "0"), "requests_per_minute"),
        (("--owner", "ann", "--expires", "soon"), "30d"),
        (("--owner", "ann", "--expires", "9999-12-31T23:59-02:00"), "30d"),
        (("--owner", "ann", "--expires", "2020-01-31"), "expires: Enter a future time"),
        (("--owner", "ann", "--expires", "0d"), "expires: Enter a future time"),
    ],
)
def test_create_says_what_is_wrong(args: tuple[str, ...], message: str) -> None:
    User.objects.create_user("ann")
    with pytest.raises(CommandError, match=message):
        key("create", "laptop", *args)
    assert not ApiKey.objects.exists()


@pytest.mark.parametrize(
    ("given", "hour"),
    [("2127-01-31", 0), ("2127-01-31T10:00", 10), ("2127-01-31T10:00+02:00", 8), ("2127-01-31T10:00Z", 10)],
)
def test_a_time_is_that_of_its_zone_and_of_utc_without_one(given: str, hour: int) -> None:
    User.objects.create_user("ann")
    key("create", "laptop", "--owner", "ann", "--expires", given)
    assert ApiKey.objects.get().expires_at == datetime(2127, 1, 31, hour, tzinfo=UTC)


def test_list_shows_keys_without_their_secrets() -> None:
    assert "no keys yet" in key("list")
    made, given = make_key(name="lap\x1btop")
    headings, row = key("list").splitlines()
    assert headings.split()[:5] == ["KEY", "STATE", "SCOPES", "OWNER", "EXPIRES"]
    assert row.startswith(made.prefix) and row.endswith("never            lap?top") and given not in row
    assert [row[headings.index(part) :].split("  ")[0] for part in ("EXPIRES", "LIMITS")] == ["never", "none"]


def test_list_shows_what_a_key_may_and_until_when() -> None:
    make_key(
        name="ci",
        expires_at=datetime(2127, 1, 31, 10, tzinfo=UTC),
        requests_per_minute=60,
        tokens_per_day=100_000,
        concurrent_streams=2,
    )
    assert "  2127-01-31 10:00  60 requests/min, 100,000 tokens/day, 2 streams  never" in key("list")


def test_revoke_finds_a_key_by_its_beginning_or_its_only_name() -> None:
    one, two, three, four = (make_key(name=name)[0] for name in ("a", "b", "b", "b"))
    key("revoke", "a")
    key("revoke", two.prefix)
    with pytest.raises(CommandError, match=f"2 keys match 'b'.*key revoke {three.prefix}") as answer:
        key("revoke", "b")
    assert four.prefix in str(answer.value) and two.prefix not in str(answer.value)
    with pytest.raises(CommandError, match="no key"):
        key("revoke", "c")
    key("revoke", four.prefix[:-1])
    key("revoke", "b")  # the only one of them that still opens anything
    assert set(ApiKey.objects.filter(is_revoked=True)) == {one, two, three, four}


def test_a_beginning_that_many_have_revokes_none() -> None:
    make_key(name="a"), make_key(name="b")
    with pytest.raises(CommandError, match="2 keys"):
        key("revoke", "mlx-")
    assert not ApiKey.objects.filter(is_revoked=True).exists()


def test_a_key_can_be_for_some_models_alone() -> None:
    User.objects.create_user("ann")
    cards = [card("tiny", profiles=(Profile(name="terse"),), aliases=("small",)), card("b")]
    with serving(FakeRunner(), cards=cards):
        key("create", "laptop", "--owner", "ann", "--model", "small", "--model", "small:terse")
        assert ApiKey.objects.get().allowed_models == ["tiny", "tiny:terse"]
        assert "models tiny, tiny:terse" in key("list")
        with pytest.raises(CommandError, match="There is no model 'nobody'"):
            key("create", "other", "--owner", "ann", "--model", "nobody")


def test_renew_prints_a_new_secret_and_keeps_the_old_one_for_the_grace() -> None:
    kept, old = make_key(expires_at=datetime.now(UTC) + timedelta(days=30))
    err = StringIO()
    out = StringIO()
    call_command("key", "renew", "laptop", "--grace", "24h", stdout=out, stderr=err)
    kept.refresh_from_db()
    assert key_secret.is_right(out.getvalue().strip(), kept.digest)
    assert "its old secret works until" in err.getvalue()
    assert kept.expires_at and timedelta(days=29) < kept.expires_at - datetime.now(UTC) <= timedelta(days=30)
    key("renew", kept.prefix, "--expires", "2127-01-31")
    kept.refresh_from_db()
    assert kept.expires_at == datetime(2127, 1, 31, tzinfo=UTC)
    assert kept.old_secret_end is None


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("nobody",), "There is no key 'nobody'"),
        (("laptop", "--grace", "long"), "24h"),
        (("laptop", "--expires", "2020-01-31"), "Enter a future time"),
        (("gone",), "is revoked permanently"),
        (("mlx-",), "2 keys match 'mlx-'.*key renew mlx-"),
    ],
)
def test_renew_says_what_is_wrong(args: tuple[str, ...], message: str) -> None:
    kept, old = make_key()
    make_key(name="gone", is_revoked=True)
    make_key(name="other")
    with pytest.raises(CommandError, match=message):
        key("renew", *args)
    kept.refresh_from_db()
    assert key_secret.is_right(old, kept.digest)
