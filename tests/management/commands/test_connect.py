import json
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import override_settings

from inference.connect.client import Values
from inference.connect.clients import CLIENTS, find
from inference.core import key_secret
from inference.core.config import Config
from inference.core.model_card import Choice
from inference.models import ServedModel
from inference.models.api_key import ApiKey
from inference.repository.catalog import Catalog
from inference.serving import runtime, site_lock
from tests.fakes import fake_pool
from tests.tiny import make_tiny_model

CHOSEN = {"other": Choice(aliases=("gpt-4o",))}
pytestmark = pytest.mark.django_db


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The user's home folder, beside a site with one model."""
    make_tiny_model(tmp_path / "models" / "tiny")
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    config = Config(models_dir=tmp_path / "models", data_dir=tmp_path / "data", port=8123)
    config.data_dir.mkdir()
    catalog = Catalog(config.models_path, use_hub_cache=False, choices=lambda: CHOSEN)
    with override_settings(CONFIG=config), runtime.use_pool(fake_pool([]), models=catalog):
        yield home


def connect(*args: str) -> str:
    printed = StringIO()
    call_command("connect", *args, stdout=printed, stderr=StringIO())
    return printed.getvalue()


def test_without_a_client_it_lists_them(home: Path) -> None:
    lines = connect().splitlines()
    assert [line.split()[0] for line in lines[1:]] == [client.name for client in CLIENTS]
    assert lines[-1].rstrip() == lines[-1] and "~/.codex/config.toml" in connect()


def test_it_prints_what_a_client_needs_and_nothing_else(home: Path) -> None:
    client = find("claude-code")
    assert client
    values = Values(origin="http://127.0.0.1:8123", model="tiny", context=2048)
    assert connect("claude-code") == "".join(part.filled(values) for part in client.parts)
    given = connect("curl", "--model", "tiny", "--base", "https://llm.example/v1/", "--key", "k")
    assert "https://llm.example/v1/chat/completions" in given and "Bearer k" in given


def test_the_address_is_that_of_the_running_site(home: Path) -> None:
    with site_lock.locked(home.parent / "data") as lock:
        lock.listens("0.0.0.0", 4321)  # noqa: S104 - only written down
        assert "http://127.0.0.1:4321/v1" in connect("openai-python")


def test_a_new_key_belongs_to_its_owner_and_works(home: Path) -> None:
    User.objects.create_user("ann")
    made = (
        connect("openai-python", "--make-key", "--owner", "ann").partition('api_key="')[2].partition('"')[0]
    )
    kept = ApiKey.objects.get()
    assert key_secret.is_right(made, kept.digest)
    assert (kept.name, kept.owner.username, kept.scopes) == (
        "OpenAI for Python",
        "ann",
        ("chat", "embeddings"),
    )
    with pytest.raises(CommandError, match="--owner"):
        connect("openai-python", "--make-key")
    User.objects.create_superuser("root")
    connect("openai-python", "--make-key")
    connect("openai-python", "--make-key")
    assert list(ApiKey.objects.filter(owner__username="root").values_list("name", flat=True)) == [
        "OpenAI for Python",
        "OpenAI for Python 2",
    ]


def test_files_are_written_and_taken_back(home: Path) -> None:
    file = home / ".claude" / "settings.json"
    file.parent.mkdir()
    file.write_text('{\n  // mine\n  "theme": "dark"\n}\n')
    before = file.read_bytes()
    assert f"Wrote {file}; its previous content is in {file}.before-mlx." in connect("claude-code", "--write")
    text = file.read_text()
    assert "// mine" in text
    assert json.loads(text.replace("// mine", ""))["env"]["ANTHROPIC_MODEL"] == "tiny"
    assert f"{file} was restored." in connect("claude-code", "--undo")
    assert file.read_bytes() == before and [path.name for path in file.parent.iterdir()] == [file.name]
    connect("codex", "--write")
    assert "was deleted" in connect("codex", "--undo")
    assert not (home / ".codex").exists()


def test_a_file_that_cannot_be_changed_costs_no_key(home: Path) -> None:
    User.objects.create_superuser("root")
    (home / ".codex").mkdir()
    (home / ".codex" / "config.toml").write_text("model =")
    with pytest.raises(CommandError, match="not valid TOML"):
        connect("codex", "--write", "--make-key")
    assert not ApiKey.objects.exists()


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("nobody",), "There is no client 'nobody'"),
        (("curl", "--model", "nobody"), "There is no model 'nobody'"),
        (("curl", "--base", "127.0.0.1:1"), "such as http"),
        (("curl", "--write"), "has no file to write"),
        (("codex", "--undo"), "No file of Codex was written"),
        (("curl", "--key", "a\nb"), "control character"),
        (("curl", "--make-key", "--owner", "nobody"), "There is no user 'nobody'"),
    ],
)
def test_it_says_what_is_wrong(home: Path, args: tuple[str, ...], message: str) -> None:
    with pytest.raises(CommandError, match=message):
        connect(*args)


def test_of_several_models_one_is_chosen(home: Path) -> None:
    make_tiny_model(home.parent / "models" / "other")
    with pytest.raises(CommandError, match="--model"):
        connect("curl")
    assert '"model": "gpt-4o"' in connect("curl", "--model", "gpt-4o")


def test_a_model_can_be_given_the_names_that_agents_use(home: Path) -> None:
    connect("claude-code", "--model", "tiny", "--agent-names")
    assert ServedModel.objects.get().aliases == ["opus", "sonnet", "haiku", "claude-*", "gpt-*"]
    make_tiny_model(home.parent / "models" / "other")
    runtime.catalog().forget()
    with pytest.raises(CommandError, match="'opus' already names another model"):
        connect("claude-code", "--model", "other", "--agent-names")
