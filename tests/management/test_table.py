from inference.management.table import table


def test_cells_stand_below_each_other_and_nothing_follows_the_last() -> None:
    assert list(table([("A", "B"), ("long", ""), ("x", "y")])) == ["A     B", "long", "x     y"]


def test_a_name_gives_the_terminal_no_orders() -> None:
    assert list(table([("a\x1b[2J", "b")])) == ["a?[2J  b"]
