"""{% dashboard as board %}: the dashboard of the admin; None for users who may not view it."""

from typing import Any

from django import template
from msgspec import Struct

from inference.accounts.permissions import may_act, may_look
from inference.admin.dashboard.page import DashboardPage, page, read_cache
from inference.admin.dashboard.sparkline import Line, line
from inference.core.installation import PROGRAM
from inference.serving.usage_history import USAGE_HISTORY

register = template.Library()


class Board(Struct, frozen=True, kw_only=True):
    """The page as it is now, the last hour as a line, and whether requests may be stopped here."""

    now: DashboardPage
    hour: Line
    may_act: bool
    program: str  # before the name of a command


@register.simple_tag(takes_context=True)
def dashboard(context: Any) -> Board | None:
    user = context["request"].user
    if not may_look(user):
        return None
    return Board(
        now=page(read_cache()),
        hour=line(USAGE_HISTORY.since()),
        may_act=may_act(user),
        program=PROGRAM,
    )
