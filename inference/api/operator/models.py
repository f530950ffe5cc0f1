"""Actions on models below /api/models.

Load, unload, reload, pin, unpin and aliases answer with the model's place in the pool, preview with what a
load would do, test with what the self-test found, and delete with what was done.
"""

from typing import Annotated

import msgspec
from django.http import HttpRequest, HttpResponse
from ninja import Router
from pydantic import Field

from inference.api.http import strict_json
from inference.api.http.context_fields import context_fields
from inference.api.http.json_answer import json_answer
from inference.api.openai.schemas import Strict
from inference.api.operator.action_history import note
from inference.api.operator.page_permission import PagePermission
from inference.core.threads import CATALOG, Threads
from inference.serving import control, model_tests, runtime

router = Router()
_SELF_TESTS = Threads("self-test", 1)  # each of them starts a process
_MOST_ALIASES = 1000  # in a body; how many a model can have is its own rule


class NamedModel(Strict):
    """Which model is meant, by its id or an alias."""

    model: Annotated[str, Field(min_length=1, max_length=512)]


class Unloading(NamedModel):
    """With `now`, its streams end with an error; without, it waits for them."""

    now: bool = False


class NewAliases(NamedModel):
    """All aliases that the model is to have."""

    alias_names: Annotated[list[str], Field(max_length=_MOST_ALIASES)]


@router.post("/models/load")
async def load(request: HttpRequest) -> HttpResponse:
    """Begin to load a model; GET /api/pool has its progress."""
    model = await control.load((await strict_json.read(request, NamedModel)).model)
    await note(request, "model", model.id, f"Loading {model.id}.")
    return json_answer(model)


@router.post("/models/preview")
async def preview(request: HttpRequest) -> HttpResponse:
    """What a load would do now, and the context that the model would have; nothing is decided or reserved."""
    name = (await strict_json.read(request, NamedModel)).model
    answer = msgspec.to_builtins(await control.preview_load(name))
    if card := await CATALOG.run(runtime.catalog().find, name):
        answer |= context_fields(*runtime.pool().context_fits(card))
    return json_answer(answer)


@router.post("/models/unload")
async def unload(request: HttpRequest) -> HttpResponse:
    """Unload a model once its streams have ended, or now."""
    wanted = await strict_json.read(request, Unloading)
    model = await (control.unload_now if wanted.now else control.unload)(wanted.model)
    when = "now" if wanted.now else "once its active requests have finished"
    await note(request, "model", model.id, f"Unloading {model.id} {when}.")
    return json_answer(model)


@router.post("/models/reload")
async def reload(request: HttpRequest) -> HttpResponse:
    """Unload a model once its streams have ended, and load it with its present settings."""
    model = await control.reload((await strict_json.read(request, NamedModel)).model)
    await note(request, "model", model.id, f"Reloading {model.id}.")
    return json_answer(model)


@router.post("/models/test")
async def test(request: HttpRequest) -> HttpResponse:
    """Test a model's template, roles, stop tokens and tools with its present files; takes seconds."""
    name = (await strict_json.read(request, NamedModel)).model
    report = await _SELF_TESTS.run(model_tests.run_one, name)
    await note(request, "model", report.model, f"Tested: {report.summary}.")
    return json_answer(report)


@router.post("/models/pin")
async def pin(request: HttpRequest) -> HttpResponse:
    """Keep a model from being evicted, and load it whenever the site starts."""
    model = await control.pin((await strict_json.read(request, NamedModel)).model)
    await note(request, "model", model.id, f"Pinned {model.id}.")
    return json_answer(model)


@router.post("/models/unpin")
async def unpin(request: HttpRequest) -> HttpResponse:
    """Let a model be evicted again."""
    model = await control.unpin((await strict_json.read(request, NamedModel)).model)
    await note(request, "model", model.id, f"Unpinned {model.id}.")
    return json_answer(model)


@router.post("/models/aliases")
async def set_aliases(request: HttpRequest) -> HttpResponse:
    """Replace the other names that requests may use for a model."""
    wanted = await strict_json.read(request, NewAliases)
    model = await control.set_aliases(wanted.model, wanted.alias_names)
    await note(request, "model", model.id, f"Aliases: {', '.join(wanted.alias_names) or 'none'}.")
    return json_answer(model)


@router.post("/models/delete", auth=PagePermission("inference.remove_servedmodel"))
async def delete(request: HttpRequest) -> HttpResponse:
    """Delete a model's files, or the settings of a model whose folder is gone."""
    name = (await strict_json.read(request, NamedModel)).model
    done = await control.delete(name)
    await note(request, "model", name, done)
    return json_answer({"model": name, "text": done})
