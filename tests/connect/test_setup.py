"""Files of clients written and taken back to the byte."""

import json
import os
import re
import stat
from pathlib import Path

import pytest

from inference.connect.client import Values
from inference.connect.clients import CLIENTS, find
from inference.connect.errors import FileRefused, NothingToUndo
from inference.connect.setup import Setup
from tests.connect.values import AWKWARD, PLAIN

WRITABLE = [client for client in CLIENTS if client.files]
CODEX = ".codex/config.toml"
CLAUDE = ".claude/settings.json"
BEFORE = {
    "comments": b'# mine\nmodel = "gpt" # why\n\n[tools]\nweb = true\n',
    "crlf": b'# mine\r\nmodel = "gpt"\r\n',
    "byte order mark": b'\xef\xbb\xbfmodel = "gpt"\n',
    "empty": b"",
    "no end of line": b"x = 1",
}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


def setup(home: Path, name: str = "codex") -> Setup:
    client = find(name)
    assert client
    return Setup(client, home, home.parent / "records")


def put(home: Path, path: str, content: bytes, mode: int = 0o644) -> Path:
    file = home / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    file.chmod(mode)
    return file


def everything(folder: Path) -> dict[str, tuple[int, bytes]]:
    return {
        str(path.relative_to(folder)): (path.lstat().st_mode, path.read_bytes() if path.is_file() else b"")
        for path in sorted(folder.rglob("*"))
    }


@pytest.mark.parametrize("client", WRITABLE, ids=lambda client: client.name)
def test_files_that_were_not_there_are_made_and_go_again(home: Path, client: object) -> None:
    (home / ".config").mkdir()
    before = everything(home)
    written = setup(home, client.name).write(AWKWARD)  # type: ignore[attr-defined]
    for one, part in zip(written, client.files, strict=True):  # type: ignore[attr-defined]
        assert Path(one.path).read_text() == part.filled(AWKWARD)
        assert stat.S_IMODE(Path(one.path).stat().st_mode) == 0o600
    setup(home, client.name).undo()  # type: ignore[attr-defined]
    assert everything(home) == before
    with pytest.raises(NothingToUndo):
        setup(home, client.name).undo()  # type: ignore[attr-defined]


@pytest.mark.parametrize("content", BEFORE.values(), ids=BEFORE)
def test_a_file_is_changed_and_comes_back_to_the_byte(home: Path, content: bytes) -> None:
    file = put(home, CODEX, content, 0o640)
    before = everything(home)
    setup(home).write(PLAIN)
    changed = file.read_bytes()
    assert PLAIN.model.encode() in changed and stat.S_IMODE(file.stat().st_mode) == 0o640
    assert changed.startswith(b"\xef\xbb\xbf") == content.startswith(b"\xef\xbb\xbf")
    assert (b"\r\n" in changed) == (b"\r\n" in content) and (b"# mine" in changed) == (b"# mine" in content)
    assert (home / f"{CODEX}.before-mlx").read_bytes() == content
    setup(home).undo()
    assert everything(home) == before


def test_a_second_write_goes_back_to_what_was_before_the_first(home: Path) -> None:
    file = put(home, CODEX, b"# mine\n")
    before = everything(home)
    setup(home).write(PLAIN)
    setup(home).write(AWKWARD)
    assert json.dumps(AWKWARD.model) in file.read_text() and PLAIN.model not in file.read_text()
    setup(home).undo()
    assert everything(home) == before


def test_what_the_user_changed_since_is_not_overwritten(home: Path) -> None:
    file = put(home, CODEX, b"# mine\n")
    setup(home).write(PLAIN)
    file.write_text(file.read_text() + "# later\n")
    before = everything(home)
    with pytest.raises(
        FileRefused, match=re.escape("was changed since it was written here. Its previous content")
    ):
        setup(home).undo()
    assert everything(home) == before
    setup(home).write(AWKWARD)  # joins what is there, and that is now what an undo goes back to
    setup(home).undo()
    assert file.read_text().endswith("# later\n") and PLAIN.model in file.read_text()


def test_of_two_files_none_is_undone_where_one_was_changed(home: Path) -> None:
    setup(home, "aider").write(PLAIN)
    (home / ".aider.model.metadata.json").unlink()
    before = everything(home)
    with pytest.raises(FileRefused, match="metadata"):
        setup(home, "aider").undo()
    assert everything(home) == before


def test_a_link_stays_a_link(home: Path) -> None:
    real = put(home, "dotfiles/codex.toml", b"# mine\n")
    (home / ".codex").mkdir()
    (home / CODEX).symlink_to(real)
    setup(home).write(PLAIN)
    assert (home / CODEX).is_symlink() and PLAIN.model in real.read_text()
    setup(home).undo()
    assert (home / CODEX).is_symlink() and real.read_bytes() == b"# mine\n"


@pytest.mark.parametrize(
    ("content", "mode", "reason"),
    [
        (b"model = ", 0o644, "not valid TOML"),
        (b"\xff\xfe", 0o644, "not UTF-8"),
        (b"# mine\n", 0o444, "read-only"),
        (b" " * 5_000_000, 0o644, "too large"),
    ],
    ids=["broken", "other encoding", "read-only", "large"],
)
def test_a_file_that_cannot_be_changed_stays(home: Path, content: bytes, mode: int, reason: str) -> None:
    put(home, CODEX, content, mode)
    before = everything(home)
    with pytest.raises(FileRefused, match=reason) as error:
        setup(home).write(PLAIN)
    assert str(home / CODEX) in str(error.value)
    assert everything(home) == before


def test_broken_links_and_folders_are_told(home: Path) -> None:
    (home / ".codex").mkdir()
    (home / CODEX).symlink_to(home / "nowhere")
    with pytest.raises(FileRefused, match="broken link"):
        setup(home).write(PLAIN)
    (home / CODEX).unlink()
    (home / CODEX).mkdir()
    with pytest.raises(FileRefused, match="not a file"):
        setup(home).write(PLAIN)
    put(home, ".claude", b"")
    with pytest.raises(FileRefused):
        setup(home, "claude-code").write(PLAIN)


def test_of_two_files_none_is_written_where_one_cannot_be_read(home: Path) -> None:
    put(home, ".aider.model.metadata.json", b"{")
    before = everything(home)
    with pytest.raises(FileRefused, match="look at line"):
        setup(home, "aider").write(PLAIN)
    assert everything(home) == before


def test_settings_of_the_user_stay_beside_ours(home: Path) -> None:
    file = put(home, CLAUDE, b'{"theme": "dark", "env": {"FOO": "1"}}')
    setup(home, "claude-code").write(PLAIN)
    config = json.loads(file.read_text())
    assert config["theme"] == "dark" and config["env"]["FOO"] == "1"
    assert config["env"]["ANTHROPIC_MODEL"] == PLAIN.model


def test_a_copy_that_is_gone_is_told(home: Path) -> None:
    put(home, CODEX, b"# mine\n")
    (written,) = setup(home).write(PLAIN)
    Path(written.backup).unlink()
    with pytest.raises(FileRefused, match="no longer exists"):
        setup(home).undo()


def test_the_record_has_no_key_and_is_its_owners_alone(home: Path) -> None:
    setup(home).write(Values(origin="http://x", key="mlx-secret", model="m", context=1))
    record = home.parent / "records" / "codex.json"
    assert b"mlx-secret" not in record.read_bytes() and stat.S_IMODE(record.stat().st_mode) == 0o600
    assert not [name for name in os.listdir(home / ".codex") if name.startswith(".config")]
    record.write_text("{")
    with pytest.raises(FileRefused, match="record"):
        setup(home).undo()
