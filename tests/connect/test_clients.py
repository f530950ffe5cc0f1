"""The clients, against docs/clients.md, and their files against the parsers of those clients' kinds."""

import json
import re
import shlex
import tomllib
from collections.abc import Callable
from typing import Any

import jsonschema_rs
import pytest
import yaml

from inference.connect import agents, apps, editors, programs
from inference.connect.client import SettingsBlock, Values
from inference.connect.clients import CLIENTS, find
from inference.core.config import BASE_DIR
from tests.connect.values import AWKWARD, PLAIN
from tests.connect.zed_schema import ZED_SETTINGS

EVERY_PART = [
    pytest.param(client.section, part, id=f"{client.name}-{number}")
    for client in CLIENTS
    for number, part in enumerate(client.parts)
]
FILES = {part.path: part for client in CLIENTS for part in client.files}
both = pytest.mark.parametrize("values", [PLAIN, AWKWARD], ids=["plain", "awkward"])


def section(title: str) -> str:
    page = (BASE_DIR / "docs" / "clients.md").read_text()
    return page.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


@pytest.mark.parametrize(("title", "part"), EVERY_PART)
def test_the_page_of_clients_shows_the_same(title: str, part: SettingsBlock) -> None:
    shown = re.sub(r"^\$ ", "", section(title), flags=re.MULTILINE)
    assert f"\n{part.filled(PLAIN)}```" in shown
    assert not part.path or f"`{part.path}`" in shown


def test_each_client_has_a_name_of_its_own() -> None:
    names = [client.name for client in CLIENTS]
    assert len(set(names)) == len(names) == 13
    groups = (programs.PROGRAMS, agents.AGENTS, editors.EDITORS, apps.APPS)
    assert sum(map(len, groups)) == len(CLIENTS)
    assert [find(name) for name in names] == list(CLIENTS) and find("nobody") is None


def read(path: str, values: Values) -> Any:
    part = FILES[path]
    text = part.filled(values)
    readers: dict[str, Callable[[str], Any]]
    readers = {"json": json.loads, "toml": tomllib.loads, "yaml": yaml.safe_load}
    return readers[part.syntax](text)


@both
def test_claude_code(values: Values) -> None:
    env = read("~/.claude/settings.json", values)["env"]
    assert (env["ANTHROPIC_BASE_URL"], env["ANTHROPIC_AUTH_TOKEN"], env["ANTHROPIC_API_KEY"]) == (
        values.origin,
        values.key,
        "",
    )
    assert {env[name] for name in env if name.endswith("MODEL")} == {values.model}
    assert env["CLAUDE_CODE_MAX_CONTEXT_TOKENS"] == str(values.context)
    exported = dict(one.split("=", 1) for one in shlex.split(find_text("claude-code", values)) if "=" in one)
    assert exported == env


def find_text(name: str, values: Values) -> str:
    client = find(name)
    assert client
    return next(part for part in client.parts if part.syntax == "shell").filled(values)


@both
def test_codex(values: Values) -> None:
    config = read("~/.codex/config.toml", values)
    provider = config["model_providers"][config["model_provider"]]
    assert (config["model"], config["model_context_window"]) == (values.model, values.context)
    assert (provider["base_url"], provider["wire_api"]) == (values.base, "responses")
    assert provider["http_headers"] == {"Authorization": f"Bearer {values.key}"}


@both
def test_opencode(values: Values) -> None:
    config = read("~/.config/opencode/opencode.json", values)
    provider = config["provider"]["mlx"]
    assert config["model"] == f"mlx/{values.model}"
    assert provider["options"] == {"baseURL": values.base, "apiKey": values.key}
    assert provider["models"] == {
        values.model: {"limit": {"context": values.context, "output": values.answer}}
    }


@both
def test_qwen_code(values: Values) -> None:
    config = read("~/.qwen/settings.json", values)
    assert config["env"] == {
        "OPENAI_BASE_URL": values.base,
        "OPENAI_API_KEY": values.key,
        "OPENAI_MODEL": values.model,
    }
    assert config["security"]["auth"]["selectedType"] == "openai"


@both
def test_aider(values: Values) -> None:
    config, facts = read("~/.aider.conf.yml", values), read("~/.aider.model.metadata.json", values)
    assert (config["openai-api-base"], config["openai-api-key"]) == (values.base, values.key)
    assert facts[config["model"]]["max_input_tokens"] == values.context
    assert config["model"] == f"openai/{values.model}"


@both
def test_continue(values: Values) -> None:
    (model,) = read("~/.continue/config.yaml", values)["models"]
    assert (model["provider"], model["model"]) == ("openai", values.model)
    assert (model["apiBase"], model["apiKey"]) == (values.base, values.key)
    assert model["defaultCompletionOptions"]["contextLength"] == values.context


@both
def test_zed(values: Values) -> None:
    config = read("~/.config/zed/settings.json", values)
    jsonschema_rs.validate(ZED_SETTINGS, config)
    chosen = config["agent"]["default_model"]
    provider = config["language_models"]["openai_compatible"][chosen["provider"]]
    assert provider["api_url"] == values.base
    assert [(one["name"], one["max_tokens"]) for one in provider["available_models"]] == [
        (chosen["model"], values.context)
    ]
    assert provider["available_models"][0]["capabilities"]["images"] is values.sees
    assert shlex.split(find_text("zed", values)) == ["export", f"MLX_API_KEY={values.key}", "zed"]


@both
def test_open_webui(values: Values) -> None:
    words = shlex.split(find_text("open-webui", values))
    given = dict(word.split("=", 1) for flag, word in zip(words, words[1:], strict=False) if flag == "-e")
    assert given == {
        "OPENAI_API_BASE_URL": values.container,
        "OPENAI_API_KEY": values.key,
        "DEFAULT_MODELS": values.model,
    }
