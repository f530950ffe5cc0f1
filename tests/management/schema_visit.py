"""`python -m tests.management.schema_visit`: what the site shows of the database in the data folder.

Prints JSON: `found`, how many messages a search for their text finds; `pages`, the status of each page of the
admin, lists and rows.
"""

import json
import os
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mlxsite.settings")


def visit() -> dict[str, Any]:
    from playground.models import Conversation
    from playground.search import search, terms_of

    hits = search(Conversation.objects.all(), terms_of('"calm way to list"'), 99)
    return {"found": sum(map(len, hits.values())), "pages": _pages()}


def _pages() -> dict[str, int]:
    from django.contrib import admin
    from django.contrib.auth.models import User
    from django.test import Client
    from django.urls import reverse

    client = Client(headers={"host": "127.0.0.1"})
    client.force_login(User.objects.create_superuser("an-operator"))
    pages: dict[str, int] = {}
    for model in admin.site._registry:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        everything = reverse(f"{name}_changelist")
        pages[everything] = client.get(everything).status_code  # models that are gone leave the list by it
        rows = model._default_manager.all() if _has_change_page(model) else ()
        addresses = [reverse(f"{name}_change", args=[one.pk]) for one in rows]
        pages |= {address: client.get(address).status_code for address in addresses}
    return pages


def _has_change_page(model: Any) -> bool:
    from django.contrib import admin

    name = f"{model._meta.app_label}_{model._meta.model_name}_change"
    return model._meta.managed and any(one.name == name for one in admin.site.get_model_admin(model).urls)


if __name__ == "__main__":
    django.setup()
    print(json.dumps(visit()))
