"""A visitor's folders: made, renamed and removed by name."""

from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet

from inference.core.errors import InvalidValue, NotFound
from playground.models import Conversation, Folder

MOST_FOLDERS = 200  # of one visitor


class FolderStore:
    """One visitor's folders; the user None is every visitor of an open site.

    A conversation has the name of its folder, also while it is deleted: restored, it is where it was.
    """

    def __init__(self, user: User | None) -> None:
        self._user = user

    def names(self) -> list[str]:
        """The folders that were made here; conversations may name further ones."""
        return list(self._folders().values_list("name", flat=True)[:MOST_FOLDERS])

    @transaction.atomic
    def create(self, name: str) -> None:
        """Make a folder; raises InvalidValue where there is one of this name, or no place for another."""
        self._check_free(name)
        self._keep(name)

    @transaction.atomic
    def rename(self, name: str, new_name: str) -> None:
        """Rename a folder with all it contains; raises NotFound, and InvalidValue as `create` does."""
        self._check_exists(name)
        if name == new_name:
            return
        self._check_free(new_name)
        self._folders().filter(name=name).delete()
        self._keep(new_name)
        self._conversations().filter(folder=name).update(folder=new_name)

    @transaction.atomic
    def delete(self, name: str) -> None:
        """Remove a folder; its conversations stay, in no folder. Raises NotFound."""
        self._check_exists(name)
        self._folders().filter(name=name).delete()
        self._conversations().filter(folder=name).update(folder="")

    def keep(self, name: str) -> None:
        """Have a folder stay when its last conversation leaves it."""
        if name and not self._folders().filter(name=name).exists():
            self._keep(name)

    def move_to(self, other: "FolderStore") -> None:
        """Give the folders to another visitor, whose folder of the same name takes the place of one."""
        for name in self.names():
            other.keep(name)
        self._folders().delete()

    def _keep(self, name: str) -> None:
        user: Any = self._user
        if self._folders().count() < MOST_FOLDERS:
            Folder.objects.create(user=user, name=name)

    def _check_free(self, name: str) -> None:
        if self._exists(name):
            raise InvalidValue(f"A folder “{name}” already exists.", param="name")
        if self._folders().count() >= MOST_FOLDERS:
            raise InvalidValue(f"At most {MOST_FOLDERS} folders are allowed.", param="name")

    def _check_exists(self, name: str) -> None:
        if not self._exists(name):
            raise NotFound("There is no such folder; it may have been renamed or deleted.")

    def _exists(self, name: str) -> bool:
        return (
            self._folders().filter(name=name).exists()
            or self._conversations().filter(folder=name, deleted_at=None).exists()
        )

    def _folders(self) -> QuerySet[Folder]:
        return Folder.objects.filter(user=self._user)

    def _conversations(self) -> QuerySet[Conversation]:
        return Conversation.objects.filter(user=self._user)
