"""Where pictures stand, and what the prefix cache knows them by."""

import numpy as np
import pytest

from inference.core.errors import TemplateFailed
from inference.worker.vision.places import expanded, place, whole_chunk, whole_length
from inference.worker.vision.seen import Seen, digest_of

pytestmark = pytest.mark.mlx
IMAGE = 9


def seen(tokens: int, data: bytes = b"", text: str = "<x>") -> Seen:
    return Seen(np.zeros((1, 1, 1, 3), np.uint8), text, tokens, digest_of(data))


def test_image_tokens_are_shared_out_in_order() -> None:
    pictures = place([1, 9, 9, 5, 9, 2, 9, 3], IMAGE, [seen(3), seen(1)])
    assert [one.positions.tolist() for one in pictures.placed] == [[1, 2, 4], [6]]
    assert pictures.spans == [(1, 5), (6, 7)]


@pytest.mark.parametrize("prompt", [[1, 9, 2], [1, 9, 9, 9, 2], [1, 9, 9], [1, 2]])
def test_a_prompt_with_other_image_tokens_is_refused(prompt: list[int]) -> None:
    with pytest.raises(TemplateFailed):
        place(prompt, IMAGE, [seen(2)])


def test_the_same_picture_has_the_same_keys_and_another_one_others() -> None:
    prompt = [1, 9, 9, 9, 2, 5]
    keyed = [place(prompt, IMAGE, [seen(3, data)]).keyed(prompt).tolist() for data in (b"a", b"a", b"b")]
    assert keyed[0] == keyed[1] != keyed[2]
    assert keyed[0][0] == 1 and keyed[0][4:] == [2, 5]
    assert len(set(keyed[0][1:4]) | set(keyed[2][1:4])) == 6
    assert all(key < 0 for key in keyed[0][1:4])


def test_a_beginning_of_the_prompt_and_its_answer_are_keyed_alike() -> None:
    prompt = [1, 9, 9, 9, 2, 5]
    pictures = place(prompt, IMAGE, [seen(3)])
    whole = pictures.keyed([*prompt, 9, 7]).tolist()
    assert pictures.keyed(prompt[:3]).tolist() == whole[:3]
    assert whole[6:] == [9, 7]  # an image token that the model wrote is no picture


def test_the_text_of_each_picture_is_written_in_its_place() -> None:
    pictures = [seen(1, text="one"), seen(1, text="two")]
    assert expanded("a[P]b[P]c", "[P]", "[I]", pictures) == "aonebtwoc"
    assert expanded("a[P]b", "[P]", "[I]", pictures) == "aoneb"
    assert expanded("[P][P][P]", "[P]", "[I]", pictures) == "onetwo[I]"


def test_no_prefix_ends_inside_a_picture() -> None:
    spans = [(3, 6), (8, 9)]
    assert [whole_length(length, spans) for length in range(10)] == [0, 1, 2, 3, 3, 3, 6, 7, 8, 9]


def test_a_chunk_ends_before_or_behind_a_picture() -> None:
    wholes = [(3, 6), (6, 9)]
    assert [whole_chunk(0, end, wholes) for end in range(1, 10)] == [1, 2, 3, 3, 3, 6, 6, 6, 9]
    assert [whole_chunk(3, end, wholes) for end in range(4, 10)] == [6, 6, 6, 6, 6, 9]
    assert whole_chunk(3, 5, []) == 5
