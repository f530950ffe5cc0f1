"""All clients, by the names that the command and the page use."""

from inference.connect.agents import AGENTS
from inference.connect.apps import APPS
from inference.connect.client import ConnectableClient
from inference.connect.editors import EDITORS
from inference.connect.programs import PROGRAMS

CLIENTS: tuple[ConnectableClient, ...] = (*PROGRAMS, *AGENTS, *EDITORS, *APPS)


def find(name: str) -> ConnectableClient | None:
    return next((client for client in CLIENTS if client.name == name), None)
