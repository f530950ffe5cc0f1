"""The websocket that tells a page what changes in its visitor's conversations."""

from inference.accounts.permissions import Account
from inference.api.http.live_socket import UNAUTHORISED
from playground import page_account
from playground.changes import CHANGES, MISSED
from playground.event_socket import EventSocket, refusal_of_visitor


class ChatsConsumer(EventSocket):
    """Sends each change as changes.py has it, and first that some may have been missed.

    The address names the account that the page belongs to (`?account=5`, 0 for none): a page whose visitor
    has signed out, or in as somebody else, is refused.
    """

    _account: int | None = None

    def refusal_of(self, user: Account) -> int:
        self._account = user.pk
        is_own = self.scope["query_string"] == f"account={page_account.number_of(user)}".encode()
        return refusal_of_visitor(user) if is_own else UNAUTHORISED

    async def send_changes(self) -> None:
        with CHANGES.listening(self._account) as changes:
            await self.send_event(MISSED)  # what changed before it listened
            await self.pass_on(changes)
