"""Pictures in the engine's batch: looked at once, one in each step, and right in whatever happens to it."""

from collections.abc import Iterator
from typing import Any

import mlx.core as mx
import numpy as np
import pytest

from inference.core.protocol import Load
from inference.worker.engine.batch import Batch
from inference.worker.engine.recovery import ResilientBatch
from inference.worker.engine.sequence import Lost, Prefilled, Sampled, Sequence
from inference.worker.model.batch_support import BatchSupport
from inference.worker.model.loaded_model import LoadedModel
from inference.worker.model.loading import load
from inference.worker.prefix_cache.cache import PrefixCache
from inference.worker.vision.places import place
from inference.worker.vision.rows import PictureRow, picture_rows
from inference.worker.vision.seen import Seen
from tests.tiny_vision import NEEDS_MLX_VLM, drawn, make_tiny_pixtral
from tests.worker.models import sequence

pytestmark = [pytest.mark.mlx, NEEDS_MLX_VLM]


class Vision:
    """What the model sees with; it counts, and fails as often as it is told to."""

    def __init__(self, model: LoadedModel) -> None:
        assert model.vision
        self._family = model.vision
        self.image_token = self._family.image_token
        self.image_id = model.tokenizer.id_of(self.image_token)
        self._encode = model.tokenizer.encode
        self._looked: dict[bytes, mx.array] = {}
        self.looks = 0
        self.failures = 0

    def look(self, seen: Seen) -> mx.array:
        self.looks += 1
        if self.failures:
            self.failures -= 1
            raise RuntimeError("not enough memory")
        if seen.digest not in self._looked:
            self._looked[seen.digest] = self._family.look(seen)
        return self._looked[seen.digest]

    def see(self, seed: int) -> Seen:
        return self._family.see(drawn(140, 90, seed=seed), bytes([seed]), "auto")

    def sequence(self, number: int, *seeds: int, text: str = "look ", **changes: Any) -> Sequence:
        """A sequence whose prompt has the pictures of these seeds, with text between and after them."""
        seen = [self.see(seed) for seed in seeds]
        written = text + "".join(f"{one.text} then " for one in seen)
        prompt = tuple(self._encode(written))
        pictures = place(prompt, self.image_id or 0, seen) if seen else None
        return sequence(number, prompt=prompt, pictures=pictures, **changes)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> LoadedModel:
    folder = make_tiny_pixtral(tmp_path_factory.mktemp("vision") / "m")
    return load(Load(model="m", path=str(folder), device="cpu"), lambda progress: None)


@pytest.fixture
def vision(model: LoadedModel) -> Vision:
    return Vision(model)


def batch(model: LoadedModel, vision: Vision, cache: PrefixCache | None = None, **options: Any) -> Batch:
    made: dict[str, Any] = {"max_batch": 8, "prefill_step": 16} | options
    return Batch(model.model, vision=vision, prefix_cache=cache, **made)  # type: ignore[arg-type]


def outputs(running: Any) -> Iterator[Any]:
    while running.is_busy:
        yield from running.step()


def answers(running: Any, *wanted: Sequence) -> dict[int, list[int]]:
    for one in wanted:
        running.add(one)
    made: dict[int, list[int]] = {}
    for output in outputs(running):
        if isinstance(output, Sampled):
            made.setdefault(output.id, []).append(output.token)
        assert not isinstance(output, Lost)
    return made


def alone(model: LoadedModel, wanted: Sequence) -> list[int]:
    """The same greedy answer, by one pass over the whole for each token."""
    assert model.vision and wanted.pictures
    row = PictureRow(wanted.pictures)
    row.features = {n: model.vision.look(one.seen) for n, one in enumerate(wanted.pictures.placed)}
    known = list(wanted.prompt)
    for _ in range(wanted.max_tokens):
        with picture_rows([row], [0]):
            logits = model.model(mx.array([known]))
        known.append(int(np.array(logits[0, -1]).argmax()))
    return known[len(wanted.prompt) :]


def test_rows_with_other_pictures_are_right_side_by_side(model: LoadedModel, vision: Vision) -> None:
    wanted = [vision.sequence(1, 1), vision.sequence(2, 2, 1), vision.sequence(3, 3, text="a longer text ")]
    together = answers(batch(model, vision), *wanted, vision.sequence(4))
    assert [together[one.id] for one in wanted] == [alone(model, one) for one in wanted]
    assert len({tuple(one) for one in together.values()}) == 4


def test_one_by_one_and_with_scores_they_are_right_too(model: LoadedModel, vision: Vision) -> None:
    wanted = [vision.sequence(1, 1), vision.sequence(2, 2, scores_prompt=True, logprobs=1)]
    single = batch(model, vision, support=BatchSupport(can_batch=False))
    assert list(answers(single, *wanted).values()) == [alone(model, one) for one in wanted]


def test_decoding_rows_wait_for_one_picture_at_a_time(model: LoadedModel, vision: Vision) -> None:
    running = batch(model, vision)
    running.add(vision.sequence(1, max_tokens=30))
    while not any(isinstance(output, Sampled) for output in running.step()):
        pass
    running.add(vision.sequence(2, 1, 2, 3))
    for looks in (1, 2, 3):
        assert [output.id for output in running.step() if isinstance(output, Sampled)] == [1]
        assert vision.looks == looks
    assert running.ids == [1, 2] and running.kv_bytes > 0


def test_a_picture_is_looked_at_once_and_not_at_all_inside_a_prefix(
    model: LoadedModel, vision: Vision
) -> None:
    cache = PrefixCache(10**8)
    first = answers(batch(model, vision, cache), vision.sequence(1, 1, owner="a"))
    assert vision.looks == 1 and cache.features.bytes > 0
    answers(batch(model, vision, cache), vision.sequence(2, 1, text="another text ", owner="a"))
    assert vision.looks == 1
    answers(batch(model, vision, cache), vision.sequence(3, 1, text="another text ", owner="b"))
    assert vision.looks == 2
    cache.features.shrink(0)
    assert answers(batch(model, vision, cache), vision.sequence(1, 1, owner="a")) == first
    assert vision.looks == 2  # all of it was a stored prefix
    cache.shed(0)
    assert cache.bytes == 0


def test_features_are_let_go_once_they_are_in_the_caches(model: LoadedModel, vision: Vision) -> None:
    running = batch(model, vision)
    running.add(vision.sequence(1, 1))
    while not any(isinstance(output, Sampled) for output in running.step()):
        pass
    (one,) = running._running.values()
    assert one.pictures is not None and not one.pictures.features


def test_a_tower_that_fails_once_costs_nothing_and_one_that_fails_again_its_own_sequence(
    model: LoadedModel, vision: Vision
) -> None:
    wanted = [vision.sequence(1, 1), vision.sequence(2)]
    vision.failures = 1
    resilient = ResilientBatch(lambda: batch(model, vision), lambda: None)
    assert answers(resilient, *wanted)[1] == alone(model, wanted[0])
    vision.failures = 99
    for one in wanted:
        resilient.add(one)
    ends = [output for output in outputs(resilient) if isinstance(output, Lost)]
    assert [one.id for one in ends] == [1]


def test_one_that_is_removed_before_its_pictures_were_looked_at_is_gone(
    model: LoadedModel, vision: Vision
) -> None:
    running = batch(model, vision)
    running.add(vision.sequence(1, 1, 2), vision.sequence(2, 1, 2))
    list(running.step())
    running.remove(1)
    assert running.ids == [2]
    assert answers(running)[2] == alone(model, vision.sequence(2, 1, 2))


def test_one_that_is_removed_inside_a_picture_leaves_a_prefix_that_is_right(
    model: LoadedModel, vision: Vision
) -> None:
    cache = PrefixCache(10**8)
    running = batch(model, vision, cache)
    running.add(vision.sequence(1, 1, text="a text of some length, before the picture: "))
    while not any(isinstance(output, Prefilled) and output.done > 48 for output in running.step()):
        pass
    running.remove(1)
    again = vision.sequence(2, 1, text="a text of some length, before the picture: ")
    assert answers(batch(model, vision, cache), again)[2] == alone(model, again)
    other = vision.sequence(3, 2, text="a text of some length, before the picture: ")
    assert answers(batch(model, vision, cache), other)[3] == alone(model, other)


def test_a_row_that_is_computed_again_looks_again(model: LoadedModel, vision: Vision) -> None:
    wanted = vision.sequence(1, 1)
    running = batch(model, vision)
    running.add(wanted)
    made: list[int] = []
    while len(made) < 4:
        made += [output.token for output in running.step() if isinstance(output, Sampled)]
    (unfinished,) = running.unfinished
    assert [*made, *answers(batch(model, vision), unfinished)[1]] == alone(model, wanted)
