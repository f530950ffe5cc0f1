"""Agents that people install, run against a real site as docs/clients.md prints it.

They take minutes to install, so .ci/nightly does: `MLXSITE_AGENTS` is the folder with their programs. The
model follows a script: it calls the tool with which the agent reads a file, and then answers its result.
"""

import os
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from inference.connect.client import ConnectableClient, Values
from inference.connect.clients import CLIENTS
from inference.connect.setup import Setup
from tests.e2e.agent_page import AGENTS, Section, sections
from tests.e2e.site import Site
from tests.tiny import make_tokenizer
from tests.tool_script import Call, Script, make_scripted_model

__test__ = "MLXSITE_AGENTS" in os.environ  # no test of the gate, where it would be one that is skipped
pytestmark = pytest.mark.e2e
PROGRAMS = Path(os.environ.get("MLXSITE_AGENTS", "."))
# In tokens of one byte each; the prompt of Claude Code has 85,000.
CONTEXTS = {"long": 400_000, "short": 1024, "none": 400_000}
CONNECTABLE = [client for client in CLIENTS if client.section in AGENTS and client.files]
RUN_S = 120


@dataclass(frozen=True)
class Expected:
    """What an agent prints in the end."""

    answer: str = "The tool has answered."
    unknown: str = "There is no model 'none' here"
    too_long: str = "maximum context length is 1024 tokens"


EXPECTED = {
    # It has no tools: the file is in its first prompt.
    "aider": Expected(answer="This is a plain answer.", too_long="has hit a token limit"),
    "Claude Code": Expected(
        unknown="There's an issue with the selected model (none)", too_long="Prompt is too long"
    ),
    "Cline": Expected(too_long="exceeds the model's context window"),
    "Codex": Expected(too_long="ran out of room in the model's context window"),
    "Continue": Expected(too_long="Context length exceeded"),
    "GitHub Copilot CLI": Expected(
        unknown="Model 'none' not found on provider", too_long="exceeded the model's context limit"
    ),
    "OpenCode": Expected(),
    "pi": Expected(too_long=""),  # it prints nothing then
    "Qwen Code": Expected(),
}


@dataclass(frozen=True)
class Desk:
    """A folder with a file to read, and a site whose model reads it."""

    site: Site
    folder: Path

    def run(self, section: Section, home: Path, model: str) -> tuple[int, str]:
        """The exit status of an agent, and what it prints; AssertionError if it does not end."""
        commands = section.prepare(home, self.site.url, model, CONTEXTS[model])
        path = f"{PROGRAMS / 'node_modules/.bin'}:{PROGRAMS / 'aider/bin'}:{os.environ['PATH']}"
        running = subprocess.Popen(
            ["bash", "-ec", commands],
            cwd=self.folder,
            env={"PATH": path, "HOME": str(home), "LANG": "C.UTF-8", "TERM": "dumb"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        try:
            printed, _ = running.communicate(timeout=RUN_S)
        except subprocess.TimeoutExpired:
            os.killpg(running.pid, signal.SIGKILL)  # the agent has children of its own
            printed, _ = running.communicate()
            raise AssertionError(f"{section.agent} did not end:\n{printed}") from None
        return running.returncode, printed


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    folder = tmp_path_factory.mktemp("work")
    note = folder / "note.txt"
    note.write_text("The secret is blue.\n")
    subprocess.run(["git", "init", "-q", str(folder)], check=True)  # Codex runs in repositories only
    names = ("filePath", "path", "file_path", "filepath")
    calls = [
        Call(tool, {name: str(note)}) for tool in ("read", "read_file", "Read", "view") for name in names
    ]
    calls += [
        Call("read_files", {"files": [{"path": str(note)}]}),
        Call("exec_command", {"cmd": "cat note.txt"}),
    ]
    data = tmp_path_factory.mktemp("data")
    for model in ("long", "short"):
        folder_of = data / "models" / model
        make_scripted_model(folder_of, make_tokenizer(), Script(calls), context=CONTEXTS[model])
    with Site(data, "--no-starter") as site:
        yield Desk(site.wait_ready(60), folder)


@pytest.fixture(params=list(sections()), ids=lambda section: section.agent)
def section(request: pytest.FixtureRequest) -> Section:
    found: Section = request.param
    return found


def test_it_calls_a_tool_and_goes_on_with_the_result(desk: Desk, section: Section, tmp_path: Path) -> None:
    status, printed = desk.run(section, tmp_path, "long")
    assert status == 0, printed
    assert EXPECTED[section.agent].answer in printed


@pytest.mark.parametrize("client", CONNECTABLE, ids=lambda client: client.name)
def test_the_files_that_connect_writes_are_enough(
    desk: Desk, client: ConnectableClient, tmp_path: Path
) -> None:
    values = Values(origin=desk.site.url, model="long", context=CONTEXTS["long"])
    Setup(client, tmp_path, tmp_path / "records").write(values)
    printed_section = next(one for one in sections() if one.agent == client.section)
    called = [line for line in printed_section.commands.splitlines() if not line.startswith("export ")]
    status, printed = desk.run(Section(client.section, {}, "\n".join(called)), tmp_path, "long")
    assert status == 0, printed
    assert EXPECTED[client.section].answer in printed


def test_it_says_that_a_model_is_not_there(desk: Desk, section: Section, tmp_path: Path) -> None:
    _, printed = desk.run(section, tmp_path, "none")
    assert EXPECTED[section.agent].unknown in " ".join(printed.split())


def test_it_recognises_a_prompt_that_is_too_long(desk: Desk, section: Section, tmp_path: Path) -> None:
    _, printed = desk.run(section, tmp_path, "short")
    assert EXPECTED[section.agent].too_long in " ".join(printed.split())
