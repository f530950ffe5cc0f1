"""The official npm `openai` client against the real site and the real starter model."""

import json
import subprocess
from typing import Any

import pytest

from tests.clients.live import node
from tests.e2e.site import STARTER, Site

pytestmark = [pytest.mark.e2e, node.NEEDS_NODE]
SCRIPT = node.FOLDER / "programs" / "openai_starter.mjs"


@pytest.fixture(scope="module")
def told(site: Site) -> dict[str, Any]:
    """What each case of the script got."""
    node.install()
    command = [str(node.NODE), str(SCRIPT), f"{site.url}/v1", STARTER]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert ran.returncode == 0, ran.stderr
    found: dict[str, Any] = json.loads(ran.stdout)
    return found


def test_it_lists_the_model(told: dict[str, Any]) -> None:
    assert told["models"] == [STARTER]


def test_a_stream_is_the_whole_answer_in_pieces(told: dict[str, Any]) -> None:
    assert "Paris" in told["whole"]["text"] and told["whole"]["reason"] == "stop"
    assert told["streamed"] == {name: told["whole"][name] for name in ("text", "total")}


def test_a_required_call_is_gathered_from_its_stream(told: dict[str, Any]) -> None:
    assert told["gathered"]["name"] == "weather"
    assert list(told["gathered"]["arguments"]) == ["city"]


def test_an_answer_follows_its_schema(told: dict[str, Any]) -> None:
    assert list(told["schema"]) == ["city"]


def test_log_probabilities_come_with_every_token(told: dict[str, Any]) -> None:
    assert len(told["logprobs"]) == 4
    assert all(one["logprob"] <= 0 and one["top"] == 3 for one in told["logprobs"])


def test_a_completion_echoes_its_prompt(told: dict[str, Any]) -> None:
    assert told["completion"].startswith("Once upon")


def test_a_response_goes_on_from_another(told: dict[str, Any]) -> None:
    assert "Paris" in told["response"]["text"]
    assert told["response"]["first"] == "response.created"
    assert told["response"]["last"] in ("response.completed", "response.incomplete")


def test_the_clients_own_stream_of_a_response_ends(told: dict[str, Any]) -> None:
    assert "Paris" in told["responded"]["text"]
    assert (told["responded"]["status"], told["responded"]["temperature"]) == ("completed", 0)


def test_errors_are_the_clients_own(told: dict[str, Any]) -> None:
    assert told["refused"] == {"status": 400, "param": "temperature", "code": "invalid_value"}
    assert told["unknown"] == {"status": 404, "kind": "NotFoundError"}
