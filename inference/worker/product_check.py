"""Whether MLX multiplies correctly, asked after another BLAS was put in the place of its own."""


def multiplies() -> bool:
    """Whether two products on the CPU, one with each layout of the right matrix, are what they should be."""
    import mlx.core as mx  # not before the BLAS is loaded

    with mx.stream(mx.cpu):
        left, right = mx.arange(6.0).reshape(2, 3), mx.arange(12.0).reshape(3, 4)
        by_row, by_column = left @ right, left @ mx.contiguous(right.T).T
        return by_row.tolist() == by_column.tolist() == [[20, 23, 26, 29], [56, 68, 80, 92]]
