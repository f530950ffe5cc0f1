"""The site as an ASGI application, for `manage.py serve` alone.

Another server would take bodies of any size, never wait for a reader, hold no lock on the data folder, and do
none of the upkeep that keeps what is stored to its time. So it is told at its start to let it be: those that
announce their start by ASGI's lifespan protocol, and Daphne, which does not, when it imports this.
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

_NOT_HERE = (
    "This site is served by `python manage.py serve` and by no other server: bodies would have no limit, and "
    "nothing would keep a second site from the same data folder."
)
if {"daphne.cli", "daphne.management.commands.runserver"} & sys.modules.keys():
    raise ImproperlyConfigured(_NOT_HERE)

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mlxsite.settings")
http = get_asgi_application()

# Consumers need Django's apps loaded.
from inference.admin.dashboard.consumer import DashboardConsumer  # noqa: E402
from inference.admin.model_list_socket import ModelListConsumer  # noqa: E402
from mlxsite.edge import Edge  # noqa: E402
from playground.consumers import ModelsConsumer  # noqa: E402

# django-stubs know routes to views only.
websocket_routes: list[Any] = [
    path("ws/models/", ModelsConsumer.as_asgi()),  # type: ignore[arg-type]
    path("ws/models/list/", ModelListConsumer.as_asgi()),  # type: ignore[arg-type]
    path("ws/dashboard/", DashboardConsumer.as_asgi()),  # type: ignore[arg-type]
    re_path("", WebsocketDenier.as_asgi()),  # type: ignore[arg-type]
]


async def refuse(scope: Any, receive: Any, send: Any) -> None:
    """Tell a server that begins that it must not (https://asgi.readthedocs.io/en/latest/specs/lifespan.html)."""
    await receive()
    await send({"type": "lifespan.startup.failed", "message": _NOT_HERE})


application = Edge(
    ProtocolTypeRouter(
        {
            "http": http,
            "websocket": SessionMiddlewareStack(URLRouter(websocket_routes)),
            "lifespan": refuse,
        }
    )
)
