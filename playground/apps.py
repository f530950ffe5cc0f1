"""The app's place in Django."""

from django.apps import AppConfig


class PlaygroundConfig(AppConfig):
    name = "playground"
