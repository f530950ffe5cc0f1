"""Real clients, each through the same seven cases, on one site.

A client that is not installed is skipped; .ci/run installs the most used of them and .ci/nightly the others.
"""

from typing import Any

import pytest

from tests.clients.live.clients import CLIENTS, Client
from tests.clients.live.conftest import Outcomes
from tests.clients.live.node import NEEDS_NODE
from tests.scripted_model import AFTER_RESULT, ANSWER

pytestmark = pytest.mark.e2e


def marks(client: Client) -> list[pytest.MarkDecorator]:
    if client.program:
        return [NEEDS_NODE]
    reason = f"CLIENT NOT TRIED: {client.name} is not installed"
    return [] if client.is_installed else [pytest.mark.skip(reason=reason)]


SURFACES = [
    pytest.param(client, surface, id=f"{client.name}-{surface}", marks=marks(client))
    for client in CLIENTS
    for surface in client.surfaces
]
on_each = pytest.mark.parametrize(("client", "surface"), SURFACES)


def found(outcomes: Outcomes, client: Client, surface: str, case: str) -> Any:
    outcome = outcomes(client)[surface][case]
    assert "error" not in outcome, outcome["error"]
    return outcome["value"]


@on_each
def test_it_is_answered(outcomes: Outcomes, client: Client, surface: str) -> None:
    assert found(outcomes, client, surface, "answer") == ANSWER


@on_each
def test_a_stream_comes_in_pieces(outcomes: Outcomes, client: Client, surface: str) -> None:
    pieces = found(outcomes, client, surface, "stream")
    assert "".join(pieces) == ANSWER and len(pieces) > 1


@on_each
def test_a_tool_is_called_and_its_result_answered(outcomes: Outcomes, client: Client, surface: str) -> None:
    loop = found(outcomes, client, surface, "tool_loop")
    assert loop == {"arguments": {"on": True}, "text": AFTER_RESULT}


@on_each
def test_an_answer_has_its_structure(outcomes: Outcomes, client: Client, surface: str) -> None:
    assert found(outcomes, client, surface, "structured") == {"on": True}


@on_each
def test_a_stream_that_is_left_stops_the_model(outcomes: Outcomes, client: Client, surface: str) -> None:
    cancelled = found(outcomes, client, surface, "cancel")
    assert cancelled["was_busy"] and cancelled["busy_for_s"] < 5  # the whole answer takes half a minute


@on_each
def test_an_unknown_model_is_the_clients_own_error(outcomes: Outcomes, client: Client, surface: str) -> None:
    error = found(outcomes, client, surface, "unknown_model")
    assert client.unknown_model in error["classes"], error
    assert "'nobody'" in error["message"]


@on_each
def test_a_prompt_that_is_too_long_is_the_clients_own_error(
    outcomes: Outcomes, client: Client, surface: str
) -> None:
    error = found(outcomes, client, surface, "too_long")
    assert client.too_long in error["classes"], error
    assert "16384" in error["message"] and "too long" in error["message"]
