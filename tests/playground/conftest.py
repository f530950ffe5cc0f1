"""What the playground's tests share."""

from collections.abc import Iterator

import pytest

from tests.playground import site


@pytest.fixture(scope="session")
def address() -> Iterator[str]:
    """The fake site's address."""
    with site.fake_site() as served:
        yield served
