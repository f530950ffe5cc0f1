"""Text that PostgreSQL refuses is written with a stand-in."""

import json
from typing import Any

from psycopg.types.json import Jsonb

from inference.storage.postgresql import stored_text
from inference.storage.postgresql.stored_text import storable_json
from tests.each import each
from tests.postgres import PostgresServer

VALUES: list[tuple[Any, Any]] = [
    ("a\0b", "a\ufffdb"),
    ("\ud800", "\ufffd"),
    ("x\udfffy\ud83d", "x\ufffdy\ufffd"),
    ("😀 \\u0000 \\\0", "😀 \\u0000 \\\ufffd"),
    ({"k\0": ['\n\t"\\', 1.5, None]}, {"k\ufffd": ['\n\t"\\', 1.5, None]}),
]


@each(("value", "stored"), VALUES)
def test_json_keeps_all_that_can_be_kept(value: Any, stored: Any) -> None:
    assert json.loads(storable_json(json.dumps(value).encode())) == stored


def test_a_server_takes_all_of_it(postgres: PostgresServer) -> None:
    import psycopg

    with psycopg.connect(postgres.url()) as connection:
        stored_text.register(connection)
        for value, stored in VALUES:
            assert connection.execute("SELECT %s::jsonb", [Jsonb(value)]).fetchone() == (stored,)
        assert connection.execute("SELECT %s", ["a\0b"]).fetchone() == ("a\ufffdb",)
