from inference.core.cpu_tuning import CpuTuning, ShapeClass, shape_class
from tests.each import each


@each(
    ("outputs", "inputs", "found"),
    [
        (49_152, 576, ShapeClass.OUTPUT),
        (1536, 576, ShapeClass.WIDE),
        (576, 576, ShapeClass.SQUARE),
        (2560, 2048, ShapeClass.SQUARE),
        (576, 1536, ShapeClass.NARROW),
        (192, 576, ShapeClass.NARROW),
        (8, 0, ShapeClass.OUTPUT),
    ],
)
def test_matrices_of_about_one_shape_are_of_one_class(outputs: int, inputs: int, found: ShapeClass) -> None:
    assert shape_class(outputs, inputs) == found


def test_the_default_leaves_everything_to_the_library() -> None:
    assert CpuTuning().environment({}) == {"OPENBLAS_THREAD_TIMEOUT": "20"}
    assert str(CpuTuning()) == "its own kernels, all cores, weights by column"


def test_kernels_and_threads_reach_the_library_by_its_variables() -> None:
    tuning = CpuTuning(kernels="Zen", threads=3)
    assert tuning.environment({"OPENBLAS_THREAD_TIMEOUT": "26"}) == {
        "OPENBLAS_CORETYPE": "Zen",
        "OPENBLAS_NUM_THREADS": "3",
        "MKL_NUM_THREADS": "3",
    }


@each(
    ("given", "left"),
    [
        ({"OPENBLAS_CORETYPE": "Haswell"}, {"OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"}),
        ({"OPENBLAS_NUM_THREADS": "1"}, {"OPENBLAS_CORETYPE", "MKL_NUM_THREADS"}),
        ({"OMP_NUM_THREADS": "1"}, {"OPENBLAS_CORETYPE"}),
    ],
)
def test_the_operators_variables_stay(given: dict[str, str], left: set[str]) -> None:
    found = CpuTuning(kernels="Zen", threads=3).environment(given).keys()
    assert found - {"OPENBLAS_THREAD_TIMEOUT"} == left


def test_the_operators_choices_replace_what_was_measured() -> None:
    measured = CpuTuning(kernels="Zen", threads=3, by_row=(ShapeClass.OUTPUT,))
    assert measured.with_choices() == measured
    assert measured.with_choices(kernels="Haswell", threads=1, layout="column") == CpuTuning(
        kernels="Haswell", threads=1, are_threads_fixed=True
    )
    assert measured.with_choices(layout="row").by_row == tuple(ShapeClass)


def test_threads_follow_the_load_unless_the_operator_has_chosen_them() -> None:
    assert CpuTuning(threads=4).follows_load({})
    assert not CpuTuning(threads=4).with_choices(threads=4).follows_load({})
    assert not CpuTuning().follows_load({"OMP_NUM_THREADS": "2"})
