from inference.worker.product_check import multiplies


def test_mlx_multiplies() -> None:
    assert multiplies()
