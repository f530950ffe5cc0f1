"""The one thing the dashboard does: stopping a request."""

import logging

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from inference import control, runtime
from inference.access import may_act
from inference.errors import ServerError

logger = logging.getLogger(__name__)
_STOPPED = "The request is being stopped; its client is told that you did."


@require_POST
def stop(request: HttpRequest) -> HttpResponse:
    """Stop the request named by `stream`; a form's sender goes back to the page, a script gets JSON."""
    if not may_act(request.user):
        raise PermissionDenied
    is_script = request.headers.get("Accept") == "application/json"
    try:
        runtime.run_on_loop(control.stop(request.POST.get("stream", "")))
    except (ServerError, RuntimeError, TimeoutError) as error:
        if is_script:
            return JsonResponse({"error": str(error)}, status=getattr(error, "status", 503))
        messages.warning(request, str(error))
        return redirect("admin:index")
    logger.info("%s stopped a request", request.user.get_username())
    if is_script:
        return JsonResponse({"stopped": True})
    messages.success(request, _STOPPED)
    return redirect("admin:index")
