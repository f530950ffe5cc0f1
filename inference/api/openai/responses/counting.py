"""POST /v1/responses/input_tokens: how many tokens a response's input is, without an answer."""

from typing import Self

from django.http import HttpResponse
from ninja import Router
from pydantic import model_validator

from inference.api.http import answer_headers, field_names, strict_json
from inference.api.http.auth import AuthenticatedRequest
from inference.api.http.json_answer import json_answer
from inference.api.http.single_outcome import single
from inference.api.http.strict_schema import unsupported
from inference.api.openai.responses import input_items
from inference.api.openai.responses.response_run import ResponseRun
from inference.api.openai.schemas import ResponseBody
from inference.core.events import Tokenized
from inference.core.requests import TokenizeRequest

router = Router()


class InputTokensBody(ResponseBody):
    """A body of POST /v1/responses, of which only the prompt is made."""

    noted = {**ResponseBody.noted, "personality": "there is only one personality."}

    @model_validator(mode="after")
    def _check_stream(self) -> Self:
        for field in ("stream", "background"):
            if getattr(self, field):
                raise unsupported("<field> is not supported: token counts come whole.", field)
        return self


@router.post("/responses/input_tokens")
async def count_input_tokens(request: AuthenticatedRequest) -> HttpResponse:
    """Tell how many tokens the input of a response is to the model, tools and instructions with it."""
    body = await strict_json.read(request, InputTokensBody)
    answer_headers.list_in(request, answer_headers.OMITTED, input_items.omitted(body))
    run = ResponseRun(request.auth.owner, body)
    with field_names.in_names_of(body.own_names):
        chat_request = await run.prepare()
    with field_names.in_names_of(run.field_names):
        found, _ = await single(request, body, TokenizeRequest(of=chat_request), Tokenized)
    answer = {"object": "response.input_tokens", "input_tokens": sum(map(len, found.tokens))}
    return json_answer(answer)
