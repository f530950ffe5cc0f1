"""Stored responses, each visible to its owner only. Everything here is synchronous."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone

from inference.core.errors import InvalidValue, NotFound
from inference.models import StoredResponse

_LONGEST_CHAIN = 1000


class Stored:
    """The responses of one principal, by its `owner`."""

    def __init__(self, owner: str) -> None:
        self._owner = owner

    def find(self, response_id: str) -> StoredResponse:
        """Raises NotFound, also for those of others."""
        return self._find(response_id, None)

    def conversation(self, response_id: str) -> list[dict[str, Any]]:
        """All items up to and including this response; raises NotFound or InvalidValue for a broken chain."""
        chain: list[StoredResponse] = []
        before: str = response_id
        while before:
            if len(chain) == _LONGEST_CHAIN:
                raise InvalidValue(
                    f"The conversation goes back over more than {_LONGEST_CHAIN} responses; send its items "
                    "anew.",
                    param="previous_response_id",
                )
            chain.append(self._find(before, "previous_response_id"))
            before = chain[-1].previous
        return [item for one in reversed(chain) for item in (*one.input, *one.body["output"])]

    def keep(self, body: dict[str, Any], input_items: Sequence[dict[str, Any]]) -> None:
        StoredResponse.objects.create(
            id=body["id"],
            owner=self._owner,
            previous=body["previous_response_id"] or "",
            body=body,
            input=list(input_items),
        )

    def delete(self, response_id: str) -> None:
        self.find(response_id).delete()

    def _find(self, response_id: str, param: str | None) -> StoredResponse:
        kept = StoredResponse.objects.filter(owner=self._owner, created_at__gte=_oldest())
        found = kept.filter(pk=response_id[:64]).first()
        if found is None:
            raise NotFound(
                f"There is no stored response {response_id[:64]!r}; it may have been deleted, or was made "
                "with store: false.",
                param=param,
            )
        return found


def forget_old() -> None:
    """Delete the responses whose retention is over."""
    StoredResponse.objects.filter(created_at__lt=_oldest()).delete()


def _oldest() -> datetime:
    """Older responses are never shown."""
    return timezone.now() - timedelta(days=settings.CONFIG.response_days)
