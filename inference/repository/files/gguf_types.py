"""The types in which GGUF stores tensors: those that are read, and the names of the others."""

from typing import NamedTuple


class BlockLayout(NamedTuple):
    """The unit a type is stored in: so many items in so many bytes."""

    name: str
    items: int
    bytes: int


BLOCKS = {
    **{0: BlockLayout("F32", 1, 4), 1: BlockLayout("F16", 1, 2), 30: BlockLayout("BF16", 1, 2)},
    **{
        2: BlockLayout("Q4_0", 32, 18),
        3: BlockLayout("Q4_1", 32, 20),
        6: BlockLayout("Q5_0", 32, 22),
        7: BlockLayout("Q5_1", 32, 24),
    },
    **{8: BlockLayout("Q8_0", 32, 34), 10: BlockLayout("Q2_K", 256, 84), 11: BlockLayout("Q3_K", 256, 110)},
    **{
        12: BlockLayout("Q4_K", 256, 144),
        13: BlockLayout("Q5_K", 256, 176),
        14: BlockLayout("Q6_K", 256, 210),
    },
}
OTHER_TYPES = {
    **{9: "Q8_1", 15: "Q8_K", 16: "IQ2_XXS", 17: "IQ2_XS", 18: "IQ3_XXS", 19: "IQ1_S", 20: "IQ4_NL"},
    **{21: "IQ3_S", 22: "IQ2_S", 23: "IQ4_XS", 24: "I8", 25: "I16", 26: "I32", 27: "I64", 28: "F64"},
    **{29: "IQ1_M", 34: "TQ1_0", 35: "TQ2_0", 39: "MXFP4"},
}
