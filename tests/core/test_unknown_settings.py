"""Misspelt settings."""

from pathlib import Path

import pytest

from inference.core.unknown_settings import unknown_settings


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "MLX_SERVER_MEMORY_LIMT",
            "MLX_SERVER_MEMORY_LIMT is not a setting; did you mean MLX_SERVER_MEMORY_LIMIT?",
        ),
        ("mlx_server_prot", "MLX_SERVER_PROT is not a setting; did you mean MLX_SERVER_PORT?"),
        (
            "MLX_SERVER_COFFEE",
            "MLX_SERVER_COFFEE is not a setting; docs/configuration.md lists every setting.",
        ),
    ],
)
def test_what_is_no_setting_is_named(
    name: str, message: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    assert unknown_settings() == []
    (tmp_path / ".env").write_text(f"{name}=1\nOTHER=1\n")
    assert unknown_settings() == [message]
    (tmp_path / ".env").unlink()
    monkeypatch.setenv(name, "1")
    assert unknown_settings() == [message]
