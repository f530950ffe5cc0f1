"""The types in which GGUF stores tensors."""

import gguf

from inference.repository.files.gguf_types import BLOCKS, OTHER_TYPES
from tests.each import each


@each("number", BLOCKS)
def test_a_block_has_the_name_and_size_that_the_format_gives_it(number: int) -> None:
    kind = gguf.GGMLQuantizationType(number)
    assert BLOCKS[number] == (kind.name, *gguf.GGML_QUANT_SIZES[kind])


def test_other_types_are_named_as_the_format_names_them() -> None:
    assert {gguf.GGMLQuantizationType(number).name: number for number in OTHER_TYPES} == {
        name: number for number, name in OTHER_TYPES.items()
    }
    assert not BLOCKS.keys() & OTHER_TYPES.keys()
