import pytest

from inference.core.blas import best_blas
from inference.core.cpu_tuning import ShapeClass, shape_class
from inference.worker.calibration.products import SHAPES, Buffers, Timer, products


def test_each_shape_is_of_its_class() -> None:
    assert {shape_class(*sizes): kind for kind, sizes in SHAPES.items()} == {
        kind: kind for kind in ShapeClass
    }


def test_each_layout_of_each_product_is_measured() -> None:
    by_row = {(one.shape, one.rows) for one in products() if one.is_by_row}
    assert by_row == {(one.shape, one.rows) for one in products() if not one.is_by_row}
    assert (ShapeClass.OUTPUT, 64) not in by_row


@pytest.mark.skipif(not best_blas().path, reason="there is no BLAS to measure")
def test_the_library_is_timed_and_names_its_kernels() -> None:
    timer = Timer(best_blas().path, Buffers())
    assert all(timer.seconds(product) > 0 for product in products())
    assert isinstance(timer.kernels, str)


def test_a_library_without_products_is_refused() -> None:
    with pytest.raises(OSError):
        Timer("libm.so.6", Buffers()).seconds(products()[0])
