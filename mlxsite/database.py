"""Django's settings of the database: a file in the data folder, or what MLX_SERVER_DATABASE_URL names."""

from pathlib import Path
from typing import Any

from inference.core import data_folder, database_setting
from inference.core.config import Config


def database(config: Config) -> dict[str, Any]:
    """The value for DATABASES."""
    if config.database_url:
        found = database_setting.of_address(config.database_url.get_secret_value())
    else:
        found = of_file(config.data_dir / data_folder.DATABASE)
    # Under ASGI every request has a thread of its own, and a persistent connection would leak with it.
    return {"CONN_MAX_AGE": 0, **found}


def of_file(path: Path) -> dict[str, Any]:
    """A database of SQLite."""
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": path,
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            # Overwrite deleted rows, which not every build of SQLite does: they may contain conversations.
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA secure_delete=ON;",
        },
    }
