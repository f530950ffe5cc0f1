"""Pictures counted by row and column, in the engine's batch: each answer is that of mlx-vlm to it alone."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import mlx.core as mx
import numpy as np
import pytest
from mlx_lm.models.cache import make_prompt_cache

from inference.core.protocol import Load
from inference.core.requests import Sampling
from inference.worker.engine.batch import Batch
from inference.worker.engine.sequence import Lost, Prefilled, Sampled, Scored, Sequence
from inference.worker.kv_quantization.packed_kv import PackedKV
from inference.worker.model.batch_support import BatchSupport
from inference.worker.model.loaded_model import LoadedModel
from inference.worker.model.loading import load
from inference.worker.prefix_cache.cache import PrefixCache
from inference.worker.vision.rows import PictureRow, picture_rows
from tests.nightly import of_each_kind
from tests.tiny_qwen_vl import KINDS, make_tiny_qwen
from tests.tiny_vision import NEEDS_MLX_VLM, drawn
from tests.worker.engine.lookup import FreeWidth, accepted, drafted
from tests.worker.models import NEVER
from tests.worker.vision.families.test_qwen import asked
from tests.worker.vision.mlx_vlm_answers import Part
from tests.worker.vision.mlx_vlm_qwen import QwenOfMlxVlm

pytestmark = [pytest.mark.mlx, NEEDS_MLX_VLM]
COUNT = 8
CHUNK = 13  # of prefill: it cuts through pictures
SHARED = 160  # prompts share chunks, padded to one length
WIDE, TALL = drawn(200, 60, seed=1), drawn(60, 220, seed=2)
OTHER = drawn(200, 60, seed=3)  # as large as the wide one


class Family:
    """One model of ours, and mlx-vlm's of the same folder."""

    def __init__(self, folder: Any, kind: str) -> None:
        self.folder = make_tiny_qwen(folder, kind)
        self.model = self.loaded()
        self.theirs = QwenOfMlxVlm(self.folder, kind)

    def loaded(self, **options: Any) -> LoadedModel:
        return load(Load(model="m", path=str(self.folder), device="cpu", **options), lambda progress: None)

    def batch(self, model: LoadedModel | None = None, **options: Any) -> Batch:
        model = model or self.model
        made: dict[str, Any] = {"max_batch": 8, "prefill_step": CHUNK, "support": model.support} | options
        return Batch(model.model, vision=model.vision, **made)

    def sequence(self, number: int, *parts: Part, **changes: Any) -> Sequence:
        sequence, _ = asked(self.model, *parts)
        greedy = Sampling(temperature=0)
        fields: dict[str, Any] = {"max_tokens": COUNT, "stop_ids": NEVER, "sampling": greedy} | changes
        return replace(sequence, id=number, **fields)

    def greedy(self, *parts: Part) -> list[int]:
        return self.theirs.greedy(COUNT, ("user", parts))


# The others have recurrent layers: their caches cannot be rolled back after a draft, and of two layers with
# attention, of which the last stays whole, no bytes would be saved by quantising.
TRIED = of_each_kind(KINDS, ["qwen3_vl", "qwen3_5"])
ROLLED_BACK = [kind for kind in TRIED if not kind.startswith("qwen3_5")]


@pytest.fixture(scope="module", params=TRIED)
def family(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Family:
    return Family(tmp_path_factory.mktemp("qwen") / "m", str(request.param))


def outputs(batch: Batch) -> Iterator[Any]:
    while batch.is_busy:
        for output in batch.step():
            assert not isinstance(output, Lost)
            yield output


def answers(batch: Batch, *wanted: Sequence) -> dict[int, list[int]]:
    for one in wanted:
        batch.add(one)
    made: dict[int, list[int]] = {}
    for output in outputs(batch):
        if isinstance(output, Sampled):
            made.setdefault(output.id, []).append(output.token)
    return made


def test_each_answer_beside_others_is_that_of_mlx_vlm_alone(family: Family) -> None:
    prompts: list[list[Part]] = [
        ["A wide one ", WIDE, " what?"],
        [TALL, "and ", WIDE, " which of them is larger, or are they the same?"],
        ["No picture at all, but a text that is about as long as those with pictures are."],
        [TALL],
    ]
    wanted = [family.sequence(number, *parts) for number, parts in enumerate(prompts)]
    alone = answers(family.batch(), wanted[0])[0]
    together = answers(family.batch(), *wanted)
    padded = answers(family.batch(prefill_step=SHARED), *wanted)
    single = answers(family.batch(support=BatchSupport(can_batch=False)), *wanted)
    expected = [family.greedy(*parts) for parts in prompts]
    assert alone == expected[0]
    assert [together[number] for number in range(4)] == expected
    assert [padded[number] for number in range(4)] == expected
    assert [single[number] for number in range(4)] == expected


def test_the_same_picture_is_a_known_prefix_and_another_is_not(family: Family) -> None:
    cache = PrefixCache(10**8, can_trim=family.model.support.can_trim_prefixes)
    first = family.sequence(1, "Prefix ", WIDE, " one", owner="a")
    # Recurrent layers are stored at checkpoints: one behind the picture.
    first = replace(first, checkpoints=(len(first.prompt) - 5,))
    answers(family.batch(prefix_cache=cache), first)
    end = first.pictures.end if first.pictures else 0
    for number, picture, text in ((2, WIDE, " one"), (3, OTHER, " one")):
        again = family.sequence(number, "Prefix ", picture, text, owner="a")
        found = cache.lookup("a", again.keyed(again.known), again.pictures.spans if again.pictures else ())
        assert (found is not None and found.length > end) == (picture is WIDE)
        got = answers(family.batch(prefix_cache=cache), again)[number]
        assert got == family.greedy("Prefix ", picture, text)


def test_copies_and_scored_prompts_count_on_behind_the_picture(family: Family) -> None:
    wanted = [family.sequence(number, "Copies ", TALL, " so") for number in range(3)]
    batch = family.batch()
    batch.add(*wanted)
    expected = family.greedy("Copies ", TALL, " so")
    assert answers(batch) == dict.fromkeys(range(3), expected)

    scored = replace(wanted[0], scores_prompt=True, logprobs=0)
    batch = family.batch()
    batch.add(scored)
    made = list(outputs(batch))
    assert [one.token for one in made if isinstance(one, Sampled)] == expected
    (scores,) = [one for one in made if isinstance(one, Scored)]
    logits = family.theirs.logits(("user", ["Copies ", TALL, " so"])).astype(np.float64)
    logprobs = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    want = logprobs[np.arange(len(logits) - 1), list(scored.prompt[1:])]
    assert np.abs(np.array([one.value for one in scores.logprobs]) - want).max() < 1e-3


def test_an_answer_that_is_paused_goes_on_as_it_would_have(family: Family) -> None:
    cache = PrefixCache(10**8, can_trim=family.model.support.can_trim_prefixes)
    expected = family.greedy("Pause ", WIDE, TALL)
    for kept in (cache, None):  # resumed from its stored caches, and computed again
        batch, made = family.batch(prefix_cache=kept), list[int]()
        batch.add(family.sequence(1, "Pause ", WIDE, TALL))
        while len(made) < 5:
            made += [output.token for output in batch.step() if isinstance(output, Sampled)]
        (unfinished,) = batch.unfinished
        batch.remove(1)
        again = family.batch(prefix_cache=kept)
        assert [*made, *answers(again, unfinished)[1]] == expected


def test_a_prompt_that_is_cancelled_inside_its_picture_leaves_nothing_wrong(family: Family) -> None:
    cache = PrefixCache(10**8, can_trim=family.model.support.can_trim_prefixes)
    batch = family.batch(prefix_cache=cache)
    one = family.sequence(1, "A text of some length stands before it: ", WIDE)
    batch.add(one)
    (start, _), done = one.pictures.spans[0] if one.pictures else (0, 0), 0
    while done <= start + 1:
        done = max([done, *(output.done for output in batch.step() if isinstance(output, Prefilled))])
    batch.remove(1)
    for number, picture in ((2, WIDE), (3, OTHER)):
        parts = ["A text of some length stands before it: ", picture]
        again = family.sequence(number, *parts)
        assert answers(family.batch(prefix_cache=cache), again)[number] == family.greedy(*parts)


@pytest.mark.parametrize("family", ROLLED_BACK, indirect=True)
def test_drafts_are_verified_behind_pictures(family: Family) -> None:
    prompts: list[list[Part]] = [["Draft ", WIDE], [TALL, "draft of it"], ["A text alone"]]
    expected = {number: family.greedy(*parts) for number, parts in enumerate(prompts)}
    batch = family.batch(speculates=True)
    batch._main._speculation.costs = FreeWidth()  # type: ignore[attr-defined]
    for number, parts in enumerate(prompts):
        prediction = list(expected[number])
        prediction[6] = (prediction[6] + 1) % 250  # it is found out
        batch.add(family.sequence(number, *parts, speculates=True, prediction=tuple(prediction)))
    made = [output for output in outputs(batch) if isinstance(output, Sampled)]
    for number, answer in expected.items():
        assert [one.token for one in made if one.id == number] == answer
    assert 0 < accepted(made) < drafted(made)


@pytest.mark.parametrize("family", ROLLED_BACK, indirect=True)
def test_quantised_caches_have_the_same_positions(family: Family) -> None:
    model = family.loaded(kv_bits=8)
    assert any(isinstance(layer, PackedKV) for layer in make_prompt_cache(model.model))
    one = family.sequence(1, "Packed ", WIDE, " and ", TALL, " so")
    assert one.pictures and model.vision
    row = PictureRow(one.pictures)
    row.features = {n: model.vision.look(placed.seen) for n, placed in enumerate(one.pictures.placed)}
    cache, logits, known = make_prompt_cache(model.model), [], list(one.prompt)
    for start in range(0, len(known), CHUNK):
        with picture_rows([row], [start]):
            logits.append(model.model(mx.array([known[start : start + CHUNK]]), cache=cache)[0])
    theirs = family.theirs.logits(("user", ["Packed ", WIDE, " and ", TALL, " so"]))
    made = np.array(mx.concatenate(logits))
    distances = np.linalg.norm(made - theirs, axis=-1) / np.linalg.norm(theirs, axis=-1)
    assert np.median(distances) < 0.03  # as for texts; wrong positions are ten times as far
    alone = []
    for _ in range(COUNT):
        alone.append(int(logits[-1][-1].argmax()))
        with picture_rows([row], [len(known)]):
            logits = [model.model(mx.array([alone[-1:]]), cache=cache)[0]]
        known.append(alone[-1])
    beside = family.sequence(2, TALL, "beside it")
    assert answers(family.batch(model), one, beside)[1] == alone
