"""What is chosen from given times."""

from inference.core.cpu_tuning import ShapeClass
from inference.worker.calibration.choice import KernelChoice, Times, best, by_row, cost, fastest
from inference.worker.calibration.products import Product, products
from tests.each import each

DEFAULT = KernelChoice("SkylakeX", 1)


def times(factor: float = 1.0, **by_row: float) -> Times:
    """Times by which each layout takes one second times `factor`; by row those times what is given."""
    return {
        product: factor * (by_row.get(product.shape, 1.0) if product.is_by_row else 1.0)
        for product in products()
    }


def test_each_class_is_stored_as_it_is_multiplied_fastest() -> None:
    assert by_row(times()) == ()
    assert by_row(times(output=0.5, wide=1.5)) == (ShapeClass.OUTPUT,)
    assert by_row(times(output=0.96)) == ()  # no clear difference


def test_few_and_many_rows_count_alike() -> None:
    found = dict(times())
    found[Product(ShapeClass.WIDE, 1, True)] = 0.5
    assert by_row(found) == (ShapeClass.WIDE,)
    found[Product(ShapeClass.WIDE, 64, True)] = 2.5
    assert by_row(found) == ()


def test_the_fastest_kernels_win_only_if_they_are_clearly_faster() -> None:
    assert best({DEFAULT: times(), KernelChoice("Zen", 1): times(0.7)}, DEFAULT) == KernelChoice("Zen", 1)
    assert best({DEFAULT: times(), KernelChoice("Zen", 1): times(0.97)}, DEFAULT) == DEFAULT
    assert best({DEFAULT: times(), KernelChoice("Zen", 1): times(1.4)}, DEFAULT) == DEFAULT


def test_kernels_are_compared_with_the_layout_that_suits_them() -> None:
    """As on an EPYC: by row the other kernels are faster, by column they are slower."""
    zen = KernelChoice("Zen", 1)
    assert (
        best({DEFAULT: times(), zen: times(1.2, output=0.4, wide=0.4, square=0.4, narrow=0.4)}, DEFAULT)
        == zen
    )


@each(("two", "four", "chosen"), [(0.6, 0.4, 4), (0.6, 0.59, 2), (0.98, 0.97, 1), (9.0, 90.0, 1)])
def test_threads_that_gain_nothing_are_left_to_others(two: float, four: float, chosen: int) -> None:
    measured = {
        KernelChoice("Zen", count): times(factor) for count, factor in ((1, 1.0), (2, two), (4, four))
    }
    assert best(measured, KernelChoice("Zen", 1)).threads == chosen


def test_a_time_that_another_program_has_made_longer_does_not_count() -> None:
    assert cost(fastest([times(3), times(1), times(9)])) == cost(times(1))
