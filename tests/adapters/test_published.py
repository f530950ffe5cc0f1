"""The published templates are all there, and nothing else is."""

from tests.adapters.published import FOLDER, PUBLISHED

FREE = {"Apache-2.0", "MIT", "Modified MIT"}


def test_every_template_is_listed_with_a_licence_that_lets_it_be_here() -> None:
    assert {path.stem for path in FOLDER.iterdir()} == PUBLISHED.keys()
    assert {source.licence for source in PUBLISHED.values()} <= FREE
