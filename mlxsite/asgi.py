"""The site as an ASGI application, for Daphne or any other server."""

import os
from typing import Any

from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import WebsocketDenier
from channels.sessions import SessionMiddlewareStack
from django.core.asgi import get_asgi_application
from django.urls import path, re_path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mlxsite.settings")
http = get_asgi_application()

# Consumers need Django's apps loaded.
from inference.consumers import ModelListConsumer, ModelsConsumer  # noqa: E402
from inference.dashboard.consumer import DashboardConsumer  # noqa: E402
from mlxsite.edge import Edge  # noqa: E402

# django-stubs know routes to views only.
websocket_routes: list[Any] = [
    path("ws/models/", ModelsConsumer.as_asgi()),  # type: ignore[arg-type]
    path("ws/models/list/", ModelListConsumer.as_asgi()),  # type: ignore[arg-type]
    path("ws/dashboard/", DashboardConsumer.as_asgi()),  # type: ignore[arg-type]
    re_path("", WebsocketDenier.as_asgi()),  # type: ignore[arg-type]
]
application = Edge(
    ProtocolTypeRouter({"http": http, "websocket": SessionMiddlewareStack(URLRouter(websocket_routes))})
)
