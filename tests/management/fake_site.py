"""A running site as the commands see it, with answers from a script."""

from io import StringIO
from typing import Any

from django.core.management import call_command

from inference.core.pool_state import PoolSnapshot, ResidentModel
from inference.management.client import Client, ClientCommand


class FakeSite(Client):
    """Each look at the pool shows the next snapshot; the last one stays."""

    def __init__(self, *snapshots: PoolSnapshot) -> None:
        super().__init__("127.0.0.1", 1)
        self._snapshots = list(snapshots)
        self.asked: list[tuple[str, str]] = []

    def act(self, action: str, model: str, **fields: object) -> ResidentModel:
        self.asked.append((action, model))
        return self._snapshots[0].of(model)

    def pool(self) -> PoolSnapshot:
        return self._snapshots.pop(0) if len(self._snapshots) > 1 else self._snapshots[0]


def run(kind: type[ClientCommand], site: Client, *arguments: str) -> str:
    """What the command prints when this is the site it finds."""

    class Found(kind):  # type: ignore[misc, valid-type]
        def client(self, options: dict[str, Any]) -> Client:
            return site

    out = StringIO()
    call_command(Found(), *arguments, stdout=out)
    return out.getvalue()
