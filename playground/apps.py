"""The app's place in Django."""

from django.apps import AppConfig
from django.db.models.signals import post_delete

_EVERY_S = 3600.0


class PlaygroundConfig(AppConfig):
    name = "playground"

    def ready(self) -> None:
        from inference.serving.maintenance import TASKS, Task
        from playground.models import Conversation
        from playground.purge import note, purge

        TASKS.append(Task(purge, _EVERY_S))
        post_delete.connect(note, sender=Conversation)
