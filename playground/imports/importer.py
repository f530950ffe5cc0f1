"""Import of all chats of a file: one after the other, so that a broken one does not spoil the others."""

from collections.abc import Generator, Mapping
from functools import partial
from itertools import islice
from typing import IO, Any

from inference.core.errors import InvalidValue, ServerError
from playground import conversation_import
from playground.imports import chat_file, formats, own
from playground.imports.checked_chat import checked
from playground.imports.converted_chat import ConvertedChat
from playground.imports.json_elements import UnreadableElement
from playground.imports.report import ImportReport, ReportedChat
from playground.store import ConversationStore

MAX_CHATS = 50_000


class Importer:
    """Imports one file into a visitor's conversations; all of it is synchronous, for a thread."""

    def __init__(self, store: ConversationStore, *, takes_copies: bool = False) -> None:
        self._store = store
        self._takes_copies = takes_copies
        self.report = ImportReport()
        self.single: dict[str, Any] | None = None  # the conversation of a file with one chat
        self.error: ServerError | None = None  # what was wrong with the latest chat that failed

    def chats(self, file: IO[bytes]) -> Generator[None]:
        """Import the file's chats in order. Yields after each; closing the generator cancels the import.

        1. Read the text of the next chat.
        2. Recognise its format and convert it, and check the result as an own export is checked.
        3. Leave it out when an earlier import has added the same chat.
        4. Store it, and report what became of it.

        Raises InvalidValue for a file that is no export; what was imported before that stays.
        """
        before: str | None = None  # one late, so that the first is known to be the only one
        for text in islice(chat_file.chats(file), MAX_CHATS):
            if before is not None:
                self._import(before, is_only=False)
                yield
            before = text
        if before is None:
            raise InvalidValue("This file is not an exported conversation: there is no chat in it.")
        self._import(before, is_only=self.report.count == 0)
        yield

    def _import(self, text: str, *, is_only: bool) -> None:
        name, title = "", f"Chat {self.report.count + 1} of the file"
        try:
            if isinstance(text, UnreadableElement):
                raise InvalidValue(str(text))
            name, chat = formats.convert(text)
            title = chat.title
            self._store.check_quota(len(text.encode(errors="replace")))
            self._add(name, chat, is_only)
        except ServerError as error:
            self.error = error
            self.report.add(ReportedChat("failed", title, note=error.message), name)

    def _add(self, name: str, chat: ConvertedChat, is_only: bool) -> None:
        fields = checked(chat.fields)
        fields = {**conversation_import.dates_of(fields["messages"]), **fields}
        if not fields["messages"] and not is_only:
            raise InvalidValue("It has no messages.")
        if not self._takes_copies and (known := self._known(name, chat, fields, is_only)):
            self.single = known
            self.report.add(ReportedChat("duplicate", known["title"], known["id"]), name)
            return
        fields["import_key"] = chat.import_key
        pictures = fields.get("pictures")
        self.single = self._store.import_conversation(fields, fields["messages"], pictures)
        self.report.add(ReportedChat("imported", self.single["title"], self.single["id"], chat.note), name)

    def _known(
        self, name: str, chat: ConvertedChat, fields: Mapping[str, Any], is_only: bool
    ) -> dict[str, Any] | None:
        """The conversation that is this chat already.

        A file with one chat of this site is imported although the chat itself is here: that is how a chat is
        copied. A file with all chats is not to double them.
        """
        is_same = partial(conversation_import.unchanged, fields=fields)
        if not is_only and name == own.NAME and (found := self._store.known(is_same)):
            return found
        return self._store.known(partial(conversation_import.imported_before, import_key=chat.import_key))
