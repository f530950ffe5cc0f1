"""POST /v1/chat/completions/control: end the reasoning of an answer in progress.

Path, body and answer are those of llama.cpp's server (https://github.com/ggml-org/llama.cpp/pull/23971).
"""

from django.http import HttpResponse
from ninja import Router

from inference.api.http import strict_json
from inference.api.http.auth import AuthenticatedRequest
from inference.api.http.json_answer import json_answer
from inference.api.openai.schemas import ControlBody
from inference.serving.active_requests import STREAMS

router = Router()
_NOT_REASONING = "This answer is not reasoning now; it continues unchanged."


@router.post("/chat/completions/control")
async def control_answer(request: AuthenticatedRequest) -> HttpResponse:
    """End the reasoning of an answer in progress, so that its text begins."""
    body = await strict_json.read(request, ControlBody)
    has_ended = await STREAMS.end_thinking(body.id, request.auth)
    message = None if has_ended else _NOT_REASONING
    outcome = {"id": body.id, "action": body.action, "success": has_ended, "message": message}
    return json_answer(outcome)
