from inference.core.units import in_gb, in_gb_or_mb
from tests.each import each


@each(("amount", "text"), [(0, "0.0 MB"), (83_400_000, "83.4 MB"), (1_000_000_000, "1.0 GB")])
def test_small_amounts_are_in_megabytes(amount: int, text: str) -> None:
    assert in_gb_or_mb(amount) == text
    assert in_gb(amount).endswith(" GB")
