"""The playground page."""

from typing import Any
from uuid import UUID

import msgspec
from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_GET

from inference.accounts.permissions import check_may_chat, visitor
from inference.core.errors import PermissionDenied
from inference.serving import live_models
from inference.serving.recording.capture_switch import SWITCH


@require_GET
@ensure_csrf_cookie
def index(request: HttpRequest, pk: UUID | None = None, token: str = "") -> HttpResponse:
    """The page, with the current list of models, so that it is complete before its websocket connects."""
    if visitor(request.user) is None:
        return redirect_to_login(request.get_full_path())
    try:
        check_may_chat(request.user)
    except PermissionDenied as error:
        return render(request, "playground/forbidden.html", {"reason": error.message}, status=403)
    page: dict[str, Any] = {
        "models": msgspec.to_builtins(live_models.models()),
        "live": "/ws/models/",
        "kept_until": SWITCH.until,
        "conversation": str(pk) if pk else None,
        "shared": token,
        "max_file_bytes": settings.CONFIG.max_body_bytes,
    }
    return render(request, "playground/index.html", {"page": page, "is_shared": bool(token)})
