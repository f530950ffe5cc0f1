"""Pictures that are seen both ways are computed whole, in whatever happens to their prompts."""

from typing import Any

import pytest
from PIL import Image

from inference.core.protocol import Load
from inference.worker.engine.segments import segments_of
from inference.worker.engine.sequence import Prefilled, Sampled, Sequence
from inference.worker.model.batch_support import BatchSupport
from inference.worker.model.loaded_model import LoadedModel
from inference.worker.model.loading import load
from inference.worker.prefix_cache.cache import PrefixCache
from tests.nightly import of_each_kind
from tests.tiny_gemma import make_tiny_gemma3, make_tiny_gemma4
from tests.tiny_vision import NEEDS_MLX_VLM, drawn
from tests.worker.engine.test_looking import Vision, batch, outputs
from tests.worker.models import cached
from tests.worker.vision.gemma_answers import GemmaAnswers, Scored

pytestmark = [pytest.mark.mlx, NEEDS_MLX_VLM]
COUNT = 4
Made = tuple[LoadedModel, GemmaAnswers]


# Gemma 4 takes twice as long; the gate has it in tests/worker/vision/families/test_gemma4.py.
@pytest.fixture(scope="module", params=of_each_kind(["gemma3", "gemma4"], ["gemma3"]))
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Made:
    folder = tmp_path_factory.mktemp("gemma") / "m"
    make_tiny_gemma3(folder) if request.param == "gemma3" else make_tiny_gemma4(folder, is_large=True)
    model = load(Load(model="m", path=str(folder), device="cpu"), lambda progress: None)
    return model, GemmaAnswers(folder)


@pytest.fixture
def vision(made: Made) -> Vision:
    return Vision(made[0])


def image(seed: int) -> Image.Image:
    """The picture that `Vision` has for this seed."""
    return drawn(140, 90, seed=seed)


def asked(vision: Vision, number: int, *seeds: int, **changes: Any) -> Sequence:
    return vision.sequence(number, *seeds, max_tokens=COUNT, **{"logprobs": 0} | changes)


def scored(running: Any, *wanted: Sequence) -> dict[int, Scored]:
    """The tokens of each answer, with their log probabilities."""
    for one in wanted:
        running.add(one)
    made: dict[int, Scored] = {}
    for output in outputs(running):
        if isinstance(output, Sampled) and output.logprob:
            made.setdefault(output.id, []).append((output.token, output.logprob.value))
    return made


def is_like(got: Scored, want: Scored) -> bool:
    """The same tokens with the same log probabilities, to the rounding of fp32."""
    return [token for token, _ in got] == [token for token, _ in want] and all(
        abs(one - other) < 1e-4 for (_, one), (_, other) in zip(got, want, strict=True)
    )


def test_rows_are_right_alone_and_beside_others(made: Made, vision: Vision) -> None:
    model, theirs = made
    seeds = {1: (1,), 2: (2, 1), 3: (3,), 4: ()}
    texts = {1: "look ", 2: "look ", 3: "a longer text before it ", 4: "no picture " * 9}
    wanted = [asked(vision, number, *seeds[number], text=texts[number]) for number in seeds]
    want = {
        one.id: theirs.continued(one.prompt, [image(seed) for seed in seeds[one.id]], COUNT) for one in wanted
    }
    assert len({tuple(one) for one in want.values()}) == 4
    # Chunks that are smaller than a picture, and chunks that all prompts share, padded at the right.
    for step in (10, 1000):
        got = scored(batch(model, vision, prefill_step=step), *wanted)
        assert all(is_like(got[number], want[number]) for number in seeds), (step, got, want)
    one_by_one = batch(model, vision, prefill_step=10, support=BatchSupport(can_batch=False))
    assert is_like(scored(one_by_one, wanted[1])[2], want[2])
    own = asked(vision, 2, 2, 1, scores_prompt=True)
    assert is_like(scored(batch(model, vision), own)[2], want[2])


def test_a_prefix_is_used_again_for_the_same_pictures_alone(made: Made, vision: Vision) -> None:
    model, theirs = made
    cache, text = PrefixCache(10**8), "A text of some length before it: "
    pictures = asked(vision, 1, 1, text=text).pictures
    assert pictures
    ((start, end),) = pictures.spans

    def marked(number: int, *seeds: int) -> Sequence:
        return asked(vision, number, *seeds, text=text, checkpoints=(start - 1, end + 1))

    first, same, other = marked(1, 1, 2), marked(2, 1, 3), marked(3, 4, 2)
    got = scored(batch(model, vision, cache, prefill_step=10), first)[1]
    assert is_like(got, theirs.continued(first.prompt, [image(1), image(2)], COUNT))
    looks = vision.looks
    assert cached(batch(model, vision, cache), same) == [end + 1]
    assert vision.looks == looks + 1  # at the one that is new
    assert cached(batch(model, vision, cache), other) == [start - 1]  # as large as the first
    got = scored(batch(model, vision, cache), other)[3]
    assert is_like(got, theirs.continued(other.prompt, [image(4), image(2)], COUNT))


def test_a_sequence_is_paused_in_its_prompt_or_answer_and_resumed(made: Made, vision: Vision) -> None:
    model, theirs = made
    wanted = asked(vision, 1, 1, 2)
    want = theirs.continued(wanted.prompt, [image(1), image(2)], COUNT)
    cache = PrefixCache(10**8)
    running = batch(model, vision, cache, prefill_step=10)
    running.add(wanted)
    end = wanted.pictures.spans[0][1] if wanted.pictures else 0
    while not any(isinstance(output, Prefilled) and output.done >= end for output in running.step()):
        pass
    running.remove(1)
    assert is_like(scored(batch(model, vision, cache, prefill_step=10), wanted)[1], want)
    running = batch(model, vision)
    running.add(wanted)
    got: Scored = []
    while len(got) < 2:
        got += [
            (output.token, output.logprob.value)
            for output in running.step()
            if isinstance(output, Sampled) and output.logprob
        ]
    (unfinished,) = running.unfinished
    assert is_like([*got, *scored(batch(model, vision), unfinished)[1]], want)


def test_copies_share_the_prefill(made: Made, vision: Vision) -> None:
    model, theirs = made
    first, *copies = (asked(vision, number, 1) for number in (1, 2, 3))
    running = batch(model, vision, prefill_step=10)
    running.add(first, *copies)
    want = theirs.continued(first.prompt, [image(1)], COUNT)
    got = scored(running)
    assert len(got) == 3 and all(is_like(one, want) for one in got.values())


def test_prompts_are_cut_at_pictures_and_stored_at_checkpoints(made: Made, vision: Vision) -> None:
    one = vision.sequence(1, 1, 2, checkpoints=(3,))
    assert one.pictures
    (first, last), (third, fourth) = one.pictures.spans
    parts, stops = segments_of(one, 2, has_checkpoints=True, has_copies=True)
    edges = [2, 3, first, last, third, fourth, len(one.prompt) - 1, len(one.prompt)]
    assert [len(part) for part in parts] == [b - a for a, b in zip(edges, edges[1:], strict=False)]
    assert [token for part in parts for token in part] == list(one.prompt[2:])
    assert stops == {3, len(one.prompt) - 1}
