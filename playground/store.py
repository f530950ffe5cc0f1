"""A visitor's conversations in the database. Everything here is synchronous and for one owner."""

import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from inference.accounts.storage_quota import STORAGE
from inference.core.errors import ConversationChanged, InvalidValue, NotFound
from inference.core.requests import Picture
from playground import attached_files, conversation_import, conversation_list, kept_pictures
from playground.branch import branch_to
from playground.conversation_list import PAGE
from playground.folder_store import FolderStore
from playground.models import Conversation, Message
from playground.purge import IN_IMPORT, KEPT_DELETED, purge_of
from playground.title_text import title_of

__all__ = ["KEPT_DELETED", "PAGE", "ConversationStore", "retitle", "title_of"]


class ConversationStore:
    """One visitor's conversations; the user None is every visitor of an open site.

    Methods that return a dict return what the page receives as JSON. Methods that name a conversation or
    a message raise NotFound when it does not exist, was deleted, or belongs to somebody else.
    """

    def __init__(self, user: User | None) -> None:
        self._user = user

    # The list.

    def page(self, *, query: str = "", offset: int = 0, folder: str = "") -> dict[str, Any]:
        """At most PAGE conversations from `offset` on, pinned and latest first, and whether more follow.

        With a query only those that it finds, in the order of search.py, with the messages that contain it.
        """
        owned = self._undeleted()
        listed = conversation_list.in_folder(owned, folder) if folder else owned
        return conversation_list.page(listed, query=query, offset=offset)

    def sidebar(self, offset: int = 0) -> dict[str, Any]:
        """A page of those that are pinned or in no folder; the first one has the folders too."""
        if offset:
            return conversation_list.page(conversation_list.unfiled(self._undeleted()), offset=offset)
        return conversation_list.grouped(self._undeleted(), FolderStore(self._user).names())

    def get(self, pk: UUID) -> Conversation:
        """The conversation; raises NotFound."""
        conversation = self._undeleted().filter(pk=pk).first()
        if conversation is None:
            raise NotFound("There is no such conversation; it may have been deleted.")
        return conversation

    def read(self, pk: UUID) -> dict[str, Any]:
        """A conversation with all messages of all its branches."""
        conversation = self.get(pk)
        return {
            **conversation.summary,
            "settings": conversation.settings,
            "tip": conversation.tip_id,
            "branched_from": _origin(conversation),
            "messages": [message.payload for message in conversation.messages.filter(deleted_at=None)],
        }

    def exported(self, pk: UUID) -> dict[str, Any]:
        """A conversation as `read` returns it, and what only a file needs: its date, and its files' texts."""
        conversation = self.get(pk)
        return {
            **conversation.summary,
            "created_at": conversation.created_at.isoformat(),
            "settings": conversation.settings,
            "tip": conversation.tip_id,
            "messages": [message.exported for message in conversation.messages.filter(deleted_at=None)],
        }

    def ids(self) -> list[UUID]:
        """All conversations, in the order of the list."""
        return list(self._undeleted().values_list("pk", flat=True))

    def update(self, pk: UUID, changes: Mapping[str, Any]) -> dict[str, Any]:
        """Change the title, the pin, the folder, or the branch that is shown.

        Raises InvalidValue when `tip` is a message of another conversation.
        """
        conversation = self.get(pk)
        shown = conversation.messages.filter(deleted_at=None)
        if "tip" in changes and not shown.filter(pk=changes["tip"]).exists():
            raise InvalidValue("There is no such message in this conversation.", param="tip")
        if "folder" in changes:  # an empty folder stays until its owner deletes it
            folders = FolderStore(self._user)
            folders.keep(conversation.folder)
            folders.keep(changes["folder"])
        for name, value in changes.items():
            setattr(conversation, "tip_id" if name == "tip" else name, value)
        conversation.save(update_fields=list(changes))
        return conversation.summary

    def delete(self, pk: UUID) -> None:
        """Mark it as deleted; for KEPT_DELETED, `restore` can undo that."""
        Conversation.objects.filter(pk=self.get(pk).pk).update(deleted_at=timezone.now())
        purge_of(self._owned())

    def restore(self, pk: UUID) -> dict[str, Any]:
        """Undo `delete`; raises NotFound after KEPT_DELETED, when it may be half purged."""
        since = timezone.now() - KEPT_DELETED
        self._owned().filter(pk=pk, deleted_at__range=(since, timezone.now())).update(deleted_at=None)
        return self.get(pk).summary

    def set_shared(self, pk: UUID, is_shared: bool) -> dict[str, Any]:
        """Let every signed-in user of the site read it by its link, or end that."""
        conversation = self.get(pk)
        conversation.share = (conversation.share or secrets.token_urlsafe(18)) if is_shared else None
        conversation.save(update_fields=["share"])
        return conversation.summary

    @staticmethod
    def read_shared(token: str) -> dict[str, Any]:
        """The shown branch of a conversation that its owner shares; raises NotFound."""
        conversation = _shared(token)
        branch = branch_to(conversation, conversation.tip_id)
        return {
            "id": None,
            "title": str(conversation),
            "owner": conversation.owner_name,
            "settings": None,
            "tip": conversation.tip_id,
            "messages": [message.payload for message in branch],
        }

    def shared_token(self, pk: UUID) -> str | None:
        """The link of a conversation that somebody else shares; None for this visitor's own."""
        found = Conversation.objects.filter(pk=pk, deleted_at=None).exclude(pk__in=self._owned())
        return found.values_list("share", flat=True).first()

    @staticmethod
    def shared_branch(token: str) -> list[Message]:
        """The messages that `read_shared` shows; raises NotFound."""
        conversation = _shared(token)
        return branch_to(conversation, conversation.tip_id)

    # Questions and answers.

    def check_quota(self, adding: int) -> None:
        """Raise StorageQuotaExceeded or StorageFull where the visitor may not store so many bytes more."""
        STORAGE.check(self._user.get_username() if self._user else "", adding)

    @transaction.atomic
    def add_question(
        self,
        conversation: UUID | None,
        parent: int | None,
        content: str | None,
        results: Mapping[str, str],
        settings: Mapping[str, str],
        new_id: UUID | None = None,
        attachments: Sequence[str] = (),
    ) -> tuple[Conversation, list[Message]]:
        """Store what the visitor sent, and return the conversation and the branch to be answered.

        1. Find the conversation, or create one that is titled by `content`, perhaps with the id `new_id`.
        2. Store `results` with the calls of the message `parent`.
        3. Append `content`, with `attachments`, as a message after `parent`; without it, `parent` is to be
           answered again.
        4. Show the branch that ends there, and keep the settings it was asked with.

        Raises NotFound, and InvalidValue for a wrong parent, results of no calls, or a missing question.
        """
        identity = {"pk": new_id} if new_id else {}
        found = (
            self.get(conversation)
            if conversation
            else self._create(title=title_of(content or ""), **identity)
        )
        branch = branch_to(found, parent)
        if results:
            _add_results(branch[-1] if branch else None, results)
        if content is not None:
            last = branch[-1] if branch else None
            files = attached_files.take(self._user, found, attachments)
            branch.append(
                Message.objects.create(
                    conversation=found, parent=last, role="user", content=content, attachments=files
                )
            )
        if not branch:
            raise InvalidValue("There is no question yet.", param="content")
        if content is None and branch[-1].role == "assistant" and not branch[-1].calls:
            raise InvalidValue("The question of this answer was deleted; ask a new one.", param="parent")
        found.settings, found.changed_at, found.tip = dict(settings), timezone.now(), branch[-1]
        found.save(update_fields=["settings", "changed_at", "tip"])
        return found, branch

    def add_answer(self, conversation: Conversation, parent: Message, question: Mapping[str, Any]) -> Message:
        """Add an empty answer to `parent`, in progress, with the fields of the question that made it."""
        answer = Message.objects.create(
            conversation=conversation,
            parent=parent,
            role="assistant",
            model=str(question.get("model", ""))[:500],
            status="answering",
            made=dict(question),
        )
        Conversation.objects.filter(pk=conversation.pk).update(tip=answer)
        return answer

    def get_message(self, pk: int) -> Message:
        """The message; raises NotFound."""
        undeleted = Message.objects.filter(deleted_at=None, conversation__in=self._undeleted())
        message = undeleted.filter(pk=pk).first()
        if message is None:
            raise NotFound("There is no such message; it may have been deleted.")
        return message

    # Import.

    def import_conversation(
        self,
        fields: Mapping[str, Any],
        messages: Sequence[Mapping[str, Any]],
        pictures: Mapping[str, Picture] | None = None,
        *,
        origin: Conversation | None = None,
    ) -> dict[str, Any]:
        """Add a conversation that a site exported, or a branch of `origin`; messages name `pictures` by id.

        1. Check that each message follows the one it answers; raises InvalidValue.
        2. Create the conversation, marked as being imported, so that nobody sees a part of it.
        3. Add pictures and messages in batches, between which other requests may write.
        4. Remove the mark and show the branch that the export showed.

        If the process ends before step 4, the purge of deleted conversations removes what was added.
        """
        conversation_import.check_order(messages)
        conversation = self._create(
            **conversation_import.row(fields), branched_from=origin, deleted_at=IN_IMPORT
        )
        kept = kept_pictures.add(conversation, pictures or {})
        tip = conversation_import.add_messages(conversation, messages, fields.get("tip"), kept)
        conversation.tip_id, conversation.deleted_at = tip, None
        conversation.save(update_fields=["tip", "deleted_at"])
        return conversation.summary

    def known(self, find: Callable[[QuerySet[Conversation]], Conversation | None]) -> dict[str, Any] | None:
        """The conversation that `find` finds among this visitor's, as its row of the list."""
        found = find(self._undeleted())
        return found.summary if found else None

    def _undeleted(self) -> QuerySet[Conversation]:
        return self._owned().filter(deleted_at=None)

    def _owned(self) -> QuerySet[Conversation]:
        return Conversation.objects.filter(user=self._user)

    def _create(self, **fields: Any) -> Conversation:
        user: Any = self._user
        return Conversation.objects.create(user=user, **{"changed_at": timezone.now(), **fields})


def _shared(token: str) -> Conversation:
    conversation = Conversation.objects.filter(share=token, deleted_at=None).first()
    if conversation is None:
        raise NotFound("There is no conversation at this address; its owner may have stopped sharing it.")
    return conversation


def retitle(pk: UUID, old: str, new: str) -> bool:
    """Replace the title `old` by `new`, unless the owner has changed it meanwhile; whether that happened."""
    return bool(Conversation.objects.filter(pk=pk, title=old).update(title=new))


def _add_results(message: Message | None, results: Mapping[str, str]) -> None:
    """Store the results of a message's calls, by call id.

    A result may be corrected until the calls are answered: the answer before may have failed to start.
    Raises InvalidValue where there are no calls, ConversationChanged where another result was answered.
    """
    if message is None or message.role != "assistant":
        raise InvalidValue("Tool results must belong to the calls of an answer.", param="results")
    calls = [
        {**call, "result": results[call["id"]]} if call["id"] in results else call for call in message.calls
    ]
    if calls == message.calls:
        return
    if message.children.exists():
        raise ConversationChanged("These calls have been answered with other results.", param="results")
    message.calls = calls
    message.save(update_fields=["calls"])


def _origin(conversation: Conversation) -> dict[str, Any] | None:
    """The conversation that this one was branched from, unless it was deleted."""
    origin = conversation.branched_from
    return {"id": str(origin.pk), "title": str(origin)} if origin and origin.deleted_at is None else None
