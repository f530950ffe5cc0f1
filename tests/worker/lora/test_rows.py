import pytest

from inference.worker.lora.rows import Rows, current, lora_rows

pytestmark = pytest.mark.mlx


def test_no_row_has_an_adapter_outside() -> None:
    assert current() is None
    with lora_rows(["", ""]):
        assert current() is None
    with lora_rows([]):
        assert current() is None


def test_rows_are_those_of_the_innermost_pass_and_end_with_it() -> None:
    with lora_rows(["a", ""]):
        outer = current()
        assert outer and outer.keys == ("a", "")
        with lora_rows(["b"]):
            inner = current()
            assert inner and inner.keys == ("b",)
        assert current() is outer
    assert current() is None


def test_rows_end_with_a_pass_that_fails() -> None:
    with pytest.raises(RuntimeError), lora_rows(["a"]):
        raise RuntimeError
    assert current() is None


def test_equal_rows_of_the_next_step_cost_nothing() -> None:
    with lora_rows(["a", "b"]):
        first = current()
        assert first
        places = first.places(("b", "a"))
    with lora_rows(["a", "b"]):
        assert current() is first and first.places(("b", "a")) is places


@pytest.mark.parametrize(
    ("keys", "alone", "indices", "mask"),
    [
        (("a", "b", "a"), None, [1, 0, 1], None),
        (("a", "", "x"), None, [1, 0, 0], [True, False, False]),
        (("b", "b"), 0, [0, 0], None),
        (("a",), 1, [1], None),
        (("b", ""), None, [0, 0], [True, False]),
    ],
)
def test_where_each_row_finds_its_adapter(
    keys: tuple[str, ...], alone: int | None, indices: list[int], mask: list[bool] | None
) -> None:
    places = Rows(keys).places(("b", "a"))
    assert not places.is_empty
    assert places.alone == alone
    assert places.indices.tolist() == indices
    assert (places.mask is None) if mask is None else (places.mask.flatten().tolist() == mask)  # type: ignore[union-attr]


def test_a_stack_of_others_has_no_place() -> None:
    assert Rows(("", "x")).places(("a", "b")).is_empty
    assert Rows(("x",)).places(()).is_empty
