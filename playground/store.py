"""A visitor's conversations in the database. Everything here is synchronous and for one owner."""

import re
import secrets
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.expressions import RawSQL
from django.utils import timezone

from inference.core.errors import InvalidValue, NotFound
from playground import conversation_import
from playground.models import LONGEST_TITLE, Conversation, Message
from playground.purge import KEPT_DELETED, purge_of

__all__ = ["KEPT_DELETED", "PAGE", "Library", "retitle", "title_of", "turns"]
PAGE = 50
_NO_RESULT = "No result was given."
_TITLE = 60
_WORD = re.compile(r"\w+")


class Library:
    """One visitor's conversations; None is whoever visits an open site."""

    def __init__(self, user: User | None) -> None:
        self._user = user

    # The list.

    def page(self, *, words: str = "", after: int = 0) -> dict[str, Any]:
        """Some conversations, the pinned and the latest ones first, and whether there are more."""
        found = self._kept()
        if terms := _WORD.findall(words):
            found = found.filter(Q(pk__in=_saying(terms)) | _titled(terms))
        some = list(found[after : after + PAGE + 1])
        return {"conversations": [_listed(one) for one in some[:PAGE]], "has_more": len(some) > PAGE}

    def find(self, pk: UUID) -> Conversation:
        """Raises NotFound, also for those of others."""
        found = self._kept().filter(pk=pk).first()
        if found is None:
            raise NotFound("There is no such conversation; it may have been deleted.")
        return found

    def whole(self, pk: UUID) -> dict[str, Any]:
        """A conversation with all messages of all its branches."""
        found = self.find(pk)
        messages = [message.told for message in found.messages.all()]
        return {**_listed(found), "settings": found.settings, "tip": found.tip_id, "messages": messages}

    def change(self, pk: UUID, facts: Mapping[str, Any]) -> dict[str, Any]:
        """Rename, pin, file or show another branch."""
        found = self.find(pk)
        if "tip" in facts and not found.messages.filter(pk=facts["tip"]).exists():
            raise InvalidValue("There is no such message in this conversation.", param="tip")
        for name, value in facts.items():
            setattr(found, "tip_id" if name == "tip" else name, value)
        found.save(update_fields=list(facts))
        return _listed(found)

    def delete(self, pk: UUID) -> None:
        """Put it away; `restore` brings it back for a day."""
        Conversation.objects.filter(pk=self.find(pk).pk).update(deleted_at=timezone.now())
        purge_of(self._owned())

    def restore(self, pk: UUID) -> dict[str, Any]:
        """Raises NotFound once its day is over: it may be half gone."""
        since = timezone.now() - KEPT_DELETED
        self._owned().filter(pk=pk, deleted_at__gte=since).update(deleted_at=None)
        return _listed(self.find(pk))

    def share(self, pk: UUID, is_shared: bool) -> dict[str, Any]:
        """Let every signed-in user of the site read it, or no more."""
        found = self.find(pk)
        found.share = (found.share or secrets.token_urlsafe(18)) if is_shared else None
        found.save(update_fields=["share"])
        return _listed(found)

    @staticmethod
    def shared(token: str) -> dict[str, Any]:
        """The branch that is shown of a conversation that its owner shares; raises NotFound."""
        found = Conversation.objects.filter(share=token, deleted_at=None).first()
        if found is None:
            raise NotFound("There is no conversation at this address; its owner may share it no more.")
        messages = [message.told for message in _path(found, found.tip_id)]
        return {"id": None, "title": str(found), "settings": None, "tip": found.tip_id, "messages": messages}

    # Asking and answering.

    @transaction.atomic
    def ask(
        self,
        conversation: UUID | None,
        parent: int | None,
        content: str | None,
        results: Mapping[str, str],
        settings: Mapping[str, str],
    ) -> tuple[Conversation, list[Message]]:
        """Add the question, if there is a new one; the path of messages from the first to it."""
        found = self.find(conversation) if conversation else self._begin(content or "")
        path = _path(found, parent)
        if results:
            _give(path[-1] if path else None, results)
        if content is not None:
            last = path[-1] if path else None
            path.append(Message.objects.create(conversation=found, parent=last, role="user", content=content))
        if not path:
            raise InvalidValue("There is no question yet.", param="content")
        found.settings, found.changed_at, found.tip = dict(settings), timezone.now(), path[-1]
        found.save(update_fields=["settings", "changed_at", "tip"])
        return found, path

    def answer(self, conversation: Conversation, parent: Message, made: Mapping[str, Any]) -> Message:
        """Begin an answer: a message that is being said."""
        answer = Message.objects.create(
            conversation=conversation,
            parent=parent,
            role="assistant",
            model=str(made.get("model", ""))[:500],
            status="answering",
            made=dict(made),
        )
        Conversation.objects.filter(pk=conversation.pk).update(tip=answer)
        return answer

    def message(self, pk: int) -> Message:
        """Raises NotFound, also for those of others."""
        found = Message.objects.filter(pk=pk, conversation__in=self._kept()).first()
        if found is None:
            raise NotFound("There is no such message; it may have been deleted.")
        return found

    # Taking out and bringing in.

    def bring_in(self, facts: Mapping[str, Any], messages: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Add a conversation that was taken out of this or another site.

        It takes as long as it is long, in pieces. Until its last message it counts as deleted, so that nobody
        sees a part of it, and what a site that ended meanwhile leaves of it is purged.
        """
        conversation_import.check(messages)
        made = self._new(
            title=facts.get("title", ""),
            folder=facts.get("folder", ""),
            settings=dict(facts.get("settings", {})),
            deleted_at=timezone.now(),
        )
        made.tip, made.deleted_at = conversation_import.add(made, messages, facts.get("tip")), None
        made.save(update_fields=["tip", "deleted_at"])
        return _listed(made)

    def _kept(self) -> QuerySet[Conversation]:
        return self._owned().filter(deleted_at=None)

    def _owned(self) -> QuerySet[Conversation]:
        return Conversation.objects.filter(user=self._user) if self._user else _of_nobody()

    def _begin(self, words: str) -> Conversation:
        return self._new(title=title_of(words))

    def _new(self, **facts: Any) -> Conversation:
        user: Any = self._user
        return Conversation.objects.create(user=user, changed_at=timezone.now(), **facts)


def retitle(pk: UUID, old: str, new: str) -> None:
    """Another title, unless its owner has chosen one meanwhile."""
    Conversation.objects.filter(pk=pk, title=old).update(title=new)


def title_of(words: str) -> str:
    """The beginning of a first question, cut at a word."""
    line = " ".join(words.split())
    if len(line) <= _TITLE:
        return line[:LONGEST_TITLE]
    return f"{line[: _TITLE + 1].rpartition(' ')[0] or line[:_TITLE]}…"


def turns(path: Iterable[Message]) -> list[dict[str, Any]]:
    """What the model is to read of a branch, as /v1/chat/completions takes it.

    A question without an answer is left out, for many templates want turns to alternate.
    """
    messages = list(path)
    pairs = zip(messages, [*messages[1:], None], strict=True)
    kept = [
        one for one, then in pairs if _is_said(one) and (one.role != "user" or not then or _is_said(then))
    ]
    return [turn for message in kept for turn in _spoken(message)]


def _is_said(message: Message) -> bool:
    return bool(message.content or message.calls)


def _spoken(message: Message) -> list[dict[str, Any]]:
    """A message as the model reads it; the results of its calls are messages of their own."""
    if not message.calls:
        return [{"role": message.role, "content": message.content}]
    made = [
        {
            "id": one["id"],
            "type": "function",
            "function": {"name": one["name"], "arguments": one["arguments"]},
        }
        for one in message.calls
    ]
    results = [
        {"role": "tool", "tool_call_id": one["id"], "content": one.get("result", _NO_RESULT)}
        for one in message.calls
    ]
    return [{"role": "assistant", "content": message.content or None, "tool_calls": made}, *results]


def _path(conversation: Conversation, tip: int | None) -> list[Message]:
    """The messages from the first one down to this."""
    if tip is None:
        return []
    known = {message.pk: message for message in conversation.messages.all()}
    if tip not in known:
        raise InvalidValue("There is no such message in this conversation.", param="parent")
    path = [known[tip]]
    while path[-1].parent_id is not None:
        path.append(known[path[-1].parent_id])
    return path[::-1]


def _give(message: Message | None, results: Mapping[str, str]) -> None:
    """Note what the functions of a message's calls gave back; what was given before stays."""
    if message is None or message.role != "assistant":
        raise InvalidValue("Results answer the calls of an answer.", param="results")
    message.calls = [
        {"result": results[call["id"]], **call} if call["id"] in results else call for call in message.calls
    ]
    message.save(update_fields=["calls"])


def _listed(conversation: Conversation) -> dict[str, Any]:
    return {
        "id": str(conversation.pk),
        "title": str(conversation),
        "folder": conversation.folder,
        "is_pinned": conversation.is_pinned,
        "changed_at": conversation.changed_at.isoformat(),
        "share": conversation.share,
    }


def _of_nobody() -> QuerySet[Conversation]:
    return Conversation.objects.filter(user=None)


def _titled(terms: Iterable[str]) -> Q:
    found = Q()
    for term in terms:
        found &= Q(title__icontains=term)
    return found


def _saying(terms: Iterable[str]) -> RawSQL:
    """The conversations in one message of which all of these words begin."""
    # Only word characters come in here, and quoted they are no syntax of FTS5.
    query = " ".join(f'"{term}"*' for term in terms)
    return RawSQL(  # noqa: S611
        "SELECT DISTINCT m.conversation_id FROM playground_words w "
        "JOIN playground_message m ON m.id = w.rowid WHERE playground_words MATCH %s",
        [query],
    )
