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
def answer(site: Site) -> dict[str, Any]:
    """What each case of the script got."""
    node.install()
    command = [str(node.NODE), str(SCRIPT), f"{site.url}/v1", STARTER]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert ran.returncode == 0, ran.stderr
    found: dict[str, Any] = json.loads(ran.stdout)
    return found


def test_it_lists_the_model(answer: dict[str, Any]) -> None:
    assert answer["models"] == [STARTER]


def test_a_stream_is_the_whole_answer_in_pieces(answer: dict[str, Any]) -> None:
    assert "Paris" in answer["whole"]["text"] and answer["whole"]["reason"] == "stop"
    assert answer["streamed"] == {name: answer["whole"][name] for name in ("text", "total")}


def test_a_required_call_is_gathered_from_its_stream(answer: dict[str, Any]) -> None:
    assert answer["gathered"]["name"] == "weather"
    assert list(answer["gathered"]["arguments"]) == ["city"]


def test_an_answer_follows_its_schema(answer: dict[str, Any]) -> None:
    assert list(answer["schema"]) == ["city"]


def test_log_probabilities_come_with_every_token(answer: dict[str, Any]) -> None:
    assert len(answer["logprobs"]) == 4
    assert all(one["logprob"] <= 0 and one["top"] == 3 for one in answer["logprobs"])


def test_a_completion_echoes_its_prompt(answer: dict[str, Any]) -> None:
    assert answer["completion"].startswith("Once upon")


def test_a_response_goes_on_from_another(answer: dict[str, Any]) -> None:
    assert "Paris" in answer["response"]["text"]
    assert answer["response"]["first"] == "response.created"
    assert answer["response"]["last"] in ("response.completed", "response.incomplete")


def test_the_clients_own_stream_of_a_response_ends(answer: dict[str, Any]) -> None:
    assert "Paris" in answer["responded"]["text"]
    assert (answer["responded"]["status"], answer["responded"]["temperature"]) == ("completed", 0)


def test_errors_are_the_clients_own(answer: dict[str, Any]) -> None:
    assert answer["refused"] == {"status": 400, "param": "temperature", "code": "invalid_value"}
    assert answer["unknown"] == {"status": 404, "kind": "NotFoundError"}
