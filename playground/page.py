"""The playground page."""

from typing import Any
from uuid import UUID

import msgspec
from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_GET

from inference.accounts import own_keys
from inference.accounts.permissions import check_may_chat, may_look, may_manage, visitor
from inference.core.errors import PermissionDenied
from inference.core.units import in_gb
from inference.serving import live_models, runtime
from inference.serving.discovery import suggested_models
from inference.serving.recording.capture_switch import SWITCH
from playground import page_account, setting_fields
from playground.preferences import mine
from playground.store import ConversationStore


@require_GET
@ensure_csrf_cookie
def index(request: HttpRequest, pk: UUID | None = None, token: str = "") -> HttpResponse:
    """The page, with the current list of models, so that it is complete before its websocket connects.

    The address of a chat that somebody else shares leads to the shared page: people copy the address that
    their browser shows. Both pages are for visitors who may chat.
    """
    principal = visitor(request.user)
    if principal is None:
        return redirect_to_login(request.get_full_path())
    try:
        check_may_chat(request.user)
    except PermissionDenied as error:
        return render(request, "playground/forbidden.html", {"reason": error.message}, status=403)
    owner: Any = request.user if principal.kind == "user" else None
    if pk and (shared := ConversationStore(owner).shared_token(pk)):
        return redirect("playground-shared", token=shared)
    page: dict[str, Any] = {
        "models": msgspec.to_builtins(live_models.models()),
        "unavailable": msgspec.to_builtins(live_models.unavailable_models()),
        "may_manage": may_manage(request.user),
        "live": "/ws/models/",
        "kept_until": SWITCH.until,
        "conversation": str(pk) if pk else None,
        "shared": token,
        "account": request.user.get_username(),
        "account_id": page_account.number_of(request.user),
        "mine": mine(request.user),
        "max_file_bytes": settings.CONFIG.max_body_bytes,
        "max_picture_bytes": settings.CONFIG.picture_bytes,
    }
    context = {
        "page": page,
        "is_shared": bool(token),
        **setting_fields.CONTEXT,
        **_links(request),
        **_suggestions(),
        "running_downloads": [] if page["models"] else _running_downloads(),
    }
    return render(request, "playground/index.html", context)


def _links(request: HttpRequest) -> dict[str, Any]:
    """Which of the operator's pages the visitor is led to; somebody who is not signed in may yet do so."""
    user = request.user
    return {
        "leads_to_models": user.is_anonymous or may_look(user),
        "has_keys": own_keys.may_see(user),
        "may_download": user.is_staff and user.has_perm("inference.add_download"),
    }


def _suggestions() -> dict[str, Any]:
    suggestions = suggested_models.for_this_server()
    return {
        "suggestions": [(one.model, one.verdict, in_gb(one.model.download_bytes)) for one in suggestions],
        "suggested_on": suggested_models.AS_OF,
        "memory": in_gb(runtime.pool().snapshot().limit_bytes),
    }


def _running_downloads() -> list[tuple[str, str]]:
    """The id of each, and how much of it is there; looks at the disk."""
    running = [(one.id, one.progress) for one in runtime.downloads().all() if one.is_running]
    return [
        (name, f"{in_gb(progress.done)} of {in_gb(progress.size)}" if progress.size else "")
        for name, progress in running
    ]
