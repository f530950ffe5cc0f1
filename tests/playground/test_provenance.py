"""The provenance of an answer."""

import asyncio

from inference.core.pool_state import ModelState
from inference.serving import control
from playground import provenance
from tests.fakes import FakeRunner, card, serving


async def test_a_loaded_model_of_the_hub_has_all_of_it() -> None:
    hub = card("org/tiny", source="hub", path="/cache/snapshots/abc123")
    with serving(FakeRunner(), cards=[hub]) as pool:
        assert provenance.of("org/tiny") == {"revision": "abc123"}
        await control.load("org/tiny")
        while pool.snapshot().of("org/tiny").state != ModelState.READY:
            await asyncio.sleep(0)
        assert provenance.of("org/tiny") == {"adapter": "fake", "device": "cpu", "revision": "abc123"}


def test_a_model_of_a_folder_has_no_revision_and_an_unknown_one_nothing() -> None:
    with serving(FakeRunner(), cards=[card("tiny")]):
        assert provenance.of("tiny") == {}
        assert provenance.of("none") == {}
