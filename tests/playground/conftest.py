"""What the playground's tests share."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.playground import site

if TYPE_CHECKING:
    from tests.openid_provider import OpenIDProvider


@pytest.fixture(scope="session")
def address() -> Iterator[str]:
    """The fake site's address."""
    with site.fake_site() as served:
        yield served


@pytest.fixture
def provider() -> "Iterator[OpenIDProvider]":
    """An OpenID provider of its own for a test."""
    from tests.openid_provider import OpenIDProvider  # it makes keys

    with OpenIDProvider() as made:
        yield made
