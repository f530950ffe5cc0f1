"""Stored responses, each visible to its owner only. Everything here is synchronous."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import transaction

from inference.core.errors import InvalidValue, NotFound, PreviousNotFound
from inference.models import StoredItem, StoredResponse
from inference.storage.response_retention import oldest

_LONGEST_CHAIN = 1000
UNFINISHED = ("queued", "in_progress")
_LOST = {
    "status": "failed",
    "error": {"code": "server_error", "message": "The server ended while it answered; please ask again."},
}


class Stored:
    """The responses of one principal, by its `owner`."""

    def __init__(self, owner: str) -> None:
        self._owner = owner

    def find(self, response_id: str) -> StoredResponse:
        """Raises NotFound, also for those of others."""
        return self._find(response_id, None)

    def ended(self, response_id: str) -> StoredResponse:
        """The response, which nobody works on any more; raises NotFound.

        One whose server ended while it answered has failed, and is stored so.
        """
        found = self._find(response_id, None)
        if found.body["status"] in UNFINISHED:
            found.body |= _LOST
            found.save(update_fields=["body"])
        return found

    def conversation(self, response_id: str) -> list[dict[str, Any]]:
        """All items up to and including this response; raises NotFound or InvalidValue for a broken chain."""
        chain: list[StoredResponse] = []
        before: str = response_id
        while before:
            if len(chain) == _LONGEST_CHAIN:
                raise InvalidValue(
                    f"The conversation goes back over more than {_LONGEST_CHAIN} responses; send its items "
                    "again.",
                    param="previous_response_id",
                )
            chain.append(self._find(before, "previous_response_id"))
            if chain[-1].body["status"] in UNFINISHED:
                raise InvalidValue(
                    f"The response {before[:64]!r} is not complete yet.", param="previous_response_id"
                )
            before = chain[-1].previous
        return [item for one in reversed(chain) for item in (*one.input, *one.body["output"])]

    def items(self, item_ids: Iterable[str]) -> dict[str, dict[str, Any]]:
        """Those of these items that are in the responses, by their ids."""
        wanted = [item_id[:64] for item_id in item_ids]
        rows = StoredItem.objects.filter(
            pk__in=wanted, response__owner=self._owner, response__created_at__gte=oldest()
        )
        responses = {row.response for row in rows.select_related("response")}
        listed = (item for one in responses for item in (*one.input, *one.body["output"]))
        return {item["id"]: item for item in listed if item.get("id") in wanted}

    @transaction.atomic
    def keep(
        self, body: dict[str, Any], given: Sequence[dict[str, Any]], trace: Mapping[str, Any] | None = None
    ) -> None:
        """Store a response and what it was given, or what has become of one that was stored before."""
        kept, is_new = StoredResponse.objects.update_or_create(
            id=body["id"],
            defaults={"body": body, "trace": dict(trace or {})},
            create_defaults={
                "owner": self._owner,
                "previous": body["previous_response_id"] or "",
                "body": body,
                "input": list(given),
                "trace": dict(trace or {}),
            },
        )
        items = [*(given if is_new else ()), *body["output"]]
        StoredItem.objects.bulk_create(
            [StoredItem(id=item["id"], response=kept) for item in items], ignore_conflicts=True
        )

    def delete(self, response_id: str) -> None:
        self.find(response_id).delete()

    def _find(self, response_id: str, param: str | None) -> StoredResponse:
        kept = StoredResponse.objects.filter(owner=self._owner, created_at__gte=oldest())
        found = kept.filter(pk=response_id[:64]).first()
        if found is None:
            kind = PreviousNotFound if param == "previous_response_id" else NotFound
            raise kind(
                f"There is no stored response {response_id[:64]!r}; it may have been deleted, or was made "
                "with store: false.",
                param=param,
            )
        return found


def forget_old() -> None:
    """Delete the responses whose retention is over."""
    StoredResponse.objects.filter(created_at__lt=oldest()).delete()
