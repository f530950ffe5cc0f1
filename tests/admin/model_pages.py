"""Using the admin's pages of models as a browser would."""

import asyncio
import re

from django.test import Client
from django.urls import reverse

from inference.core.pool_state import ModelState
from inference.models import ServedModel
from inference.pool import Pool

LIST = reverse("admin:inference_servedmodel_changelist")
ACT = reverse("admin:inference_servedmodel_act")


def act(client: Client, action: str, name: str = "tiny", **answers: str) -> str:
    """Choose an action and say yes to its question."""
    row = ServedModel.objects.get(name=name)
    body = {"action": action, "_selected_action": [row.pk], "confirmed": "yes", **answers}
    return client.post(LIST, body, follow=True).content.decode()


async def wait_for(pool: Pool, state: ModelState) -> None:
    async with asyncio.timeout(5):
        while pool.snapshot().of("tiny").state != state:
            await asyncio.sleep(0.01)


def reach(pool: Pool, state: ModelState) -> None:
    assert pool.loop
    asyncio.run_coroutine_threadsafe(wait_for(pool, state), pool.loop).result(6)


def form_of(name: str = "tiny") -> str:
    return reverse("admin:inference_servedmodel_change", args=[ServedModel.objects.get(name=name).pk])


def save(client: Client, **fields: str) -> str:
    empty = {"is_enabled": "on", "idle_ttl_s": "", "aliases": ""}
    profiles = {"profiles-TOTAL_FORMS": "0", "profiles-INITIAL_FORMS": "0"}
    return client.post(form_of(), empty | profiles | fields, follow=True).content.decode()


def press(client: Client, action: str, model: str = "tiny") -> str:
    """Press one of the buttons of a model's page."""
    return client.post(ACT, {"act": f"{action} {model}"}, follow=True).content.decode()


def buttons(client: Client) -> list[str]:
    row = ServedModel.objects.get(name="tiny")
    page = client.get(f"{LIST}{row.pk}/change/").content.decode()
    return re.findall(r'name="act" value="(\w+) tiny"', page)
