"""The dashboard's view: it stops a request."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from inference.accounts import audit_log
from inference.accounts.permissions import may_act
from inference.core.errors import ServerError
from inference.models import ServedModel
from inference.serving import control, runtime
from inference.serving.active_requests import STREAMS, StreamView

_STOPPED = "The request is being stopped; its client receives an error."


@require_POST
def stop(request: HttpRequest) -> HttpResponse:
    """Stop the request `stream`; a form is redirected to its page, a script receives JSON.

    Raises PermissionDenied for users who may not stop requests.
    """
    if not may_act(request.user):
        raise PermissionDenied
    is_script = request.headers.get("Accept") == "application/json"
    name = request.POST.get("stream", "")
    stream = next((one for one in STREAMS.snapshot() if one.id == name), None)
    try:
        runtime.run_on_loop(control.stop(name))
    except ServerError as error:
        if is_script:
            return JsonResponse({"error": str(error)}, status=error.status)
        messages.warning(request, str(error))
        return redirect(_origin(request))
    if stream:
        _log(request, stream)
    if is_script:
        return JsonResponse({"stopped": True})
    messages.success(request, _STOPPED)
    return redirect(_origin(request))


def _origin(request: HttpRequest) -> str:
    """The page whose button was pressed: a name, so that no foreign URL can be given."""
    is_of_list = request.POST.get("next") == "requests"
    return "admin:inference_requestrecord_changelist" if is_of_list else "admin:index"


def _log(request: HttpRequest, stream: StreamView) -> None:
    model = ServedModel.objects.filter(name=stream.model).first()
    caller = f"{stream.principal_kind} {stream.principal}".strip()
    audit_log.write(request.user, ServedModel, stream.model, f"Stopped a request of {caller}.", model)
