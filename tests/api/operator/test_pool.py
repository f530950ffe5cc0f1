import json

import msgspec

from inference.core.pool_state import PoolSnapshot
from tests.api.openai.asking import chat
from tests.api.operator.asking import look
from tests.fakes import GB, FakeRunner, serving


async def test_it_reports_the_whole_pool() -> None:
    with serving(FakeRunner()):
        await chat()
        response = await look()
    answer = json.loads(response.content)
    assert (answer["limit_bytes"], answer["pressure"], answer["waiting"]) == (10 * GB, "normal", 0)
    assert [(model["id"], model["state"]) for model in answer["models"]] == [("tiny", "ready")]


async def test_it_is_the_snapshot_and_reads_back_as_one() -> None:
    with serving(FakeRunner()):
        response = await look()
    assert isinstance(msgspec.json.decode(response.content, type=PoolSnapshot), PoolSnapshot)
