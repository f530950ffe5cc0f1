"""A branch of a conversation's tree."""

from typing import Any

import pytest

from inference.core.errors import InvalidValue
from playground.branch import branch_to
from playground.models import Conversation, Message
from playground.store import ConversationStore

pytestmark = pytest.mark.django_db


def asked(**changes: Any) -> tuple[Conversation, list[Message]]:
    facts: dict[str, Any] = {"conversation": None, "parent": None, "results": {}, "settings": {}}
    return ConversationStore(None).add_question(**{**facts, "content": "one", **changes})


def test_a_branch_has_the_messages_above_its_tip_and_no_alternatives() -> None:
    made, (question,) = asked()
    store = ConversationStore(None)
    other, tip = (store.add_answer(made, question, {"model": "tiny"}) for _ in range(2))
    assert branch_to(made, tip.pk) == [question, tip]
    assert branch_to(made, other.pk) == [question, other]
    assert branch_to(made, None) == []


def test_a_message_of_another_conversation_is_refused() -> None:
    made, _ = asked()
    _, (theirs,) = asked()
    with pytest.raises(InvalidValue, match="no such message"):
        branch_to(made, theirs.pk)
