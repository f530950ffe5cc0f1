"""The fake site on a data folder that stays: `python -m tests.playground.fault_site PORT FOLDER MOMENT`.

At a moment with a name it kills itself with SIGKILL, as a power failure of the process would.
"""

import os
import signal
import sys
from typing import Any

import tests.environment  # noqa: F401 - the settings every test runs under

os.environ["MLX_SERVER_DATA_DIR"] = sys.argv[2]

from tests.playground.fake_site import application  # noqa: E402, I001 - it sets Django up

from playground import api  # noqa: E402
from playground.running_answers import RunningAnswer  # noqa: E402


def _die(*_: Any, **__: Any) -> Any:
    os.kill(os.getpid(), signal.SIGKILL)


def arm(moment: str) -> None:
    """Die once the question is stored, or before the answer's last save."""
    views: Any = api
    answers: Any = RunningAnswer
    store_turn, save = views.store_turn, answers._save

    def store_and_die(*arguments: Any) -> Any:
        store_turn(*arguments)
        _die()

    async def die_at_the_end(answer: RunningAnswer) -> bool:
        return bool(_die() if answer.is_done else await save(answer))

    if moment == "stored":
        views.store_turn = store_and_die
    if moment == "end":
        answers._save = die_at_the_end


if __name__ == "__main__":
    from daphne.server import Server
    from django.conf import settings

    from tests.migrated_database import begin_with_tables

    begin_with_tables(settings.CONFIG.data_dir)
    arm(sys.argv[3])
    Server(application, endpoints=[f"tcp:port={sys.argv[1]}:interface=127.0.0.1"]).run()
