"""The agents' sections of docs/clients.md can be run as they are printed; .ci/nightly does so."""

import json
import re
import tomllib
from pathlib import Path

from tests.e2e.agent_page import AGENTS, PAGE, sections


def test_every_agent_has_a_section_with_a_command() -> None:
    found = {section.agent: section.commands for section in sections()}
    assert found.keys() == set(AGENTS)
    assert all("note.txt" in commands.splitlines()[-1] for commands in found.values())


def test_its_files_are_written_for_a_server(tmp_path: Path) -> None:
    commands = [section.prepare(tmp_path, "http://[::1]:9", "tiny", 1000) for section in sections()]
    files = {path.name: path.read_text() for path in tmp_path.rglob("*") if path.is_file()}
    assert files.keys() == {"config.toml", "config.yaml", "models.json", "opencode.json"}
    assert tomllib.loads(files["config.toml"])["model_context_window"] == 1000
    models = json.loads(files["opencode.json"])["provider"]["mlx"]["models"]
    assert models == {"tiny": {"limit": {"context": 1000, "output": 250}}}
    assert any("model_catalog_json=" in command for command in commands)
    assert json.loads(files["models.json"])["providers"]["mlx"]["baseUrl"] == "http://[::1]:9/v1"
    assert all(
        not re.search(r"127\.0\.0\.1:8000|SmolLM2|\b8192\b|\b2048\b", text)
        for text in (*files.values(), *commands)
    )


def test_the_nightly_run_has_them_all() -> None:
    nightly = (PAGE.parent.parent / ".ci" / "nightly").read_text()
    packages = (
        "claude-code",
        "cli",
        "copilot",
        "pi-coding-agent",
        "codex",
        "qwen-code",
        "cline",
        "opencode-ai",
    )
    assert all(package in nightly for package in (*packages, "aider-chat"))
