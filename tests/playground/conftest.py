"""What the playground's tests share."""

from collections.abc import Iterator

import pytest

from tests.playground import site


@pytest.fixture(scope="session")
def address() -> Iterator[str]:
    """The fake site's address; skips, loudly, where there is no browser to look at it."""
    if not site.CHROMIUM.exists():
        pytest.skip(
            f"BROWSER TESTS NOT RUN: no Chromium at {site.CHROMIUM}; `apt-get install chromium` brings it"
        )
    with site.fake_site() as served:
        yield served
