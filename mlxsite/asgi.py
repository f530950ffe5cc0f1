"""The site as an ASGI application, for `manage.py serve` only.

Another server would accept bodies of any size, never wait for a slow reader, hold no lock on the data folder,
and not run the maintenance that deletes expired data. So this module refuses to run there: a server that uses
ASGI's lifespan protocol gets a failed startup, and Daphne, which does not use it, gets an error on import.
"""

import os
import sys
from typing import Any

from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import WebsocketDenier
from channels.sessions import SessionMiddlewareStack
from django.core.asgi import get_asgi_application
from django.core.exceptions import ImproperlyConfigured
from django.urls import path, re_path

from inference.core.installation import PROGRAM

_WRONG_SERVER = (
    f"Only `{PROGRAM} serve` can serve this site: with another server, bodies would have no limit, and "
    "nothing would keep a second site from the same data folder."
)
if {"daphne.cli", "daphne.management.commands.runserver"} & sys.modules.keys():
    raise ImproperlyConfigured(_WRONG_SERVER)

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mlxsite.settings")
http = get_asgi_application()

# Consumers need Django's apps loaded.
from inference.admin.dashboard.consumer import DashboardConsumer  # noqa: E402
from inference.admin.model_list_socket import ModelListConsumer  # noqa: E402
from inference.api.openai.responses.response_socket import ResponseSocket  # noqa: E402
from mlxsite.access_log import Access  # noqa: E402
from mlxsite.edge import Edge  # noqa: E402
from playground.chats_socket import ChatsConsumer  # noqa: E402
from playground.models_socket import ModelsConsumer  # noqa: E402

# django-stubs knows routes to views only.
websocket_routes: list[Any] = [
    path("ws/models/", ModelsConsumer.as_asgi()),  # type: ignore[arg-type]
    path("ws/chats/", ChatsConsumer.as_asgi()),  # type: ignore[arg-type]
    path("ws/models/list/", ModelListConsumer.as_asgi()),  # type: ignore[arg-type]
    path("ws/dashboard/", DashboardConsumer.as_asgi()),  # type: ignore[arg-type]
    path("v1/responses", ResponseSocket.as_asgi()),  # type: ignore[arg-type]
    re_path("", WebsocketDenier.as_asgi()),  # type: ignore[arg-type]
]


async def refuse(scope: Any, receive: Any, send: Any) -> None:
    """Fail the startup of another server (https://asgi.readthedocs.io/en/latest/specs/lifespan.html)."""
    await receive()
    await send({"type": "lifespan.startup.failed", "message": _WRONG_SERVER})


application = Access(
    Edge(
        ProtocolTypeRouter(
            {
                "http": http,
                "websocket": SessionMiddlewareStack(URLRouter(websocket_routes)),
                "lifespan": refuse,
            }
        )
    )
)
