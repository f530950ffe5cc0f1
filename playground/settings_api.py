"""The JSON API of what a visitor prefers: default settings, saved system prompts and favourite models."""

from django.http import HttpResponse

from inference.api.http import strict_json
from inference.api.http.json_answer import json_answer
from inference.core.threads import CATALOG
from inference.storage.database_threads import in_database
from playground import model_settings as models
from playground.preferences import PreferenceStore
from playground.schemas import DefaultsBody, FavouritesBody, PromptBody, PromptChangeBody
from playground.visitor import Visitor, for_visitors


@for_visitors("GET")
async def model_settings(visitor: Visitor) -> HttpResponse:
    """What the model of the query `model` does with settings that are left empty."""
    model = visitor.request.GET.get("model", "")[:256]
    return json_answer(await CATALOG.run(models.read, model))


@for_visitors("GET", "PUT")
async def my_defaults(visitor: Visitor) -> HttpResponse:
    """Read or replace the settings that the visitor's new chats begin with."""
    store = PreferenceStore(visitor.user)
    if visitor.request.method == "PUT":
        body = await strict_json.read(visitor.request, DefaultsBody)
        return json_answer({"settings": await in_database(lambda: store.set_settings(body.settings))})
    return json_answer({"settings": await in_database(store.settings)})


@for_visitors("GET", "PATCH")
async def favourites(visitor: Visitor) -> HttpResponse:
    """Read or change the visitor's favourite models."""
    store = PreferenceStore(visitor.user)
    if visitor.request.method == "PATCH":
        body = await strict_json.read(visitor.request, FavouritesBody)
        changed = await in_database(lambda: store.change_favourites(body.add, body.remove))
        return json_answer({"favourites": changed})
    return json_answer({"favourites": await in_database(store.favourites)})


@for_visitors("GET", "POST")
async def prompts(visitor: Visitor) -> HttpResponse:
    """List the visitor's saved prompts, or save one."""
    store = PreferenceStore(visitor.user)
    if visitor.request.method == "POST":
        body = await strict_json.read(visitor.request, PromptBody)
        return json_answer(await in_database(lambda: store.add_prompt(body.name, body.text)))
    return json_answer({"prompts": await in_database(store.prompts)})


@for_visitors("PATCH", "DELETE")
async def prompt(visitor: Visitor, pk: int) -> HttpResponse:
    """Rename, change or delete a saved prompt."""
    store = PreferenceStore(visitor.user)
    if visitor.request.method == "DELETE":
        await in_database(lambda: store.delete_prompt(pk))
        return json_answer({})
    body = await strict_json.read(visitor.request, PromptChangeBody)
    changes = body.model_dump(exclude_unset=True, exclude_none=True)
    return json_answer(await in_database(lambda: store.change_prompt(pk, changes)))
