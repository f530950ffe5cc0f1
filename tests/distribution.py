"""Which tests one process of pytest-xdist takes together, and which ones begin first.

The tests of a file share its servers. Some files share servers of the session with others: a process that
takes one of these files starts the server, and may have to fetch, convert and load its model first.
The groups of pytest-xdist itself (`--dist loadgroup`) do nothing under pytest 9.
"""

import re
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from xdist.scheduler.protocol import Scheduling

STARTER = (
    *(
        "anthropic_client",
        "browser",
        "first_start",
        "npm_client",
        "openai_client",
        "openai_structured_output",
    ),
    *("operating", "quantised_chat", "readme", "responses", "studio"),
)
TINY = (
    *("corrupt_models", "never_dies", "never_dies_dialect", "openai_fields", "openai_tool_forms", "storm"),
    *("backup", "choices", "embeddings", "loras", "streamed_text", "upstreams"),
)
GROUPS = {f"tests/e2e/test_{name}.py": "the starter model's site" for name in STARTER}
GROUPS |= {f"tests/e2e/test_{name}.py": "the tiny model's site" for name in TINY}
GROUPS |= {
    f"tests/clients/live/test_{name}.py": "the scripted model's site"
    for name in ("clients", "connect", "evaluation", "page")
}
GROUPS |= {
    f"tests/{name}.py": "the served site"
    for name in (
        *("api/ollama/test_client", "api/openai/test_client", "api/openai/test_openapi_document"),
        *("management/test_client", "mlxsite/test_arrival", "mlxsite/test_connection", "mlxsite/test_server"),
    )
}
GROUPS |= {
    f"tests/management/{name}.py": "the database of every schema"
    for name in ("moving/test_move", "test_upgrade")
}
# Two halves of the files that look at the playground's fake site: a process that takes one of them starts a
# browser and the site.
LOOKING = sorted(
    path.name
    for path in (Path(__file__).parent / "playground").glob("test_*.py")
    if re.search(r"\baddress: str\b", path.read_text())
)
GROUPS |= {
    f"tests/playground/{name}": f"the fake site, {'second' if place % 2 else 'first'} half"
    for place, name in enumerate(LOOKING)
}
# The groups and the slowest folders begin first: what begins last decides how long others are idle.
FIRST = ("e2e", "clients", "playground", "pool", "worker", "architectures", "mlxsite", "management", "api")


def group(nodeid: str) -> str:
    """The name of the group that a test belongs to: its file, where no other file uses the same server."""
    file = nodeid.partition("::")[0]
    return GROUPS.get(file, file)


def rank(item: pytest.Item) -> int:
    """The place of the test's group or folder among those that begin first."""
    folder = PurePath(item.nodeid).parts[1]
    if item.nodeid.partition("::")[0] in GROUPS:
        return -1
    return FIRST.index(folder) if folder in FIRST else len(FIRST)


@pytest.hookimpl(wrapper=True)
def pytest_collection_modifyitems(items: list[pytest.Item]):  # type: ignore[no-untyped-def]
    result = yield
    items.sort(key=rank)  # after pytest-django, which moves the tests with a database to the front
    return result


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> "Scheduling":
    from xdist.scheduler import LoadScopeScheduling

    class ByGroup(LoadScopeScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            return group(nodeid)

    config.option.loadscopereorder = False  # keep our order instead of that by the number of tests
    return ByGroup(config, log)
