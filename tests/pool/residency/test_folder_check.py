"""Resident models whose folder is gone."""

from inference.core.model_card import ModelCard
from inference.core.pool_state import ModelState
from inference.core.threads import CATALOG
from inference.pool.residency import folder_check
from tests.fakes import card
from tests.pool.scene import Scene, spin

CHECK_S = folder_check._CHECK_EVERY_S


async def test_a_model_is_unloaded_once_two_checks_miss_it() -> None:
    there: dict[str, ModelCard] = {"a": card("a")}
    scene = Scene(find_card=there.get)
    await scene.use("a")
    await passes(scene)
    there.clear()
    await passes(scene)
    assert scene.state("a") == ModelState.READY  # it may be replaced at this moment
    await passes(scene)
    assert scene.state("a") == ModelState.UNLOADED
    assert "unloaded a: its folder no longer exists; it held 1.0 GB" in scene.texts_of("unloaded")


async def test_a_model_that_comes_back_stays() -> None:
    there: dict[str, ModelCard] = {"a": card("a")}
    scene = Scene(find_card=there.get)
    await scene.use("a")
    for known in ({}, {"a": card("a")}, {}):
        there.clear()
        there.update(known)
        await passes(scene)
    assert scene.state("a") == ModelState.READY


async def test_a_model_that_cannot_be_served_any_more_is_unloaded_with_its_problem() -> None:
    there: dict[str, ModelCard] = {"a": card("a")}
    scene = Scene(find_card=there.get)
    await scene.use("a")
    there["a"] = card("a", problem="no weights")
    await passes(scene)
    await passes(scene)
    (text,) = scene.texts_of("unloaded")
    assert "it can no longer be served: no weights" in text


async def passes(scene: Scene) -> None:
    """The time of one check goes by, and the check on its thread ends."""
    await scene.pass_s(CHECK_S)
    await CATALOG.run(bool)  # after the check, on the same thread
    await spin()
