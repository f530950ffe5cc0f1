"""The Django app: its periodic purge, the signal that requests one, and the function of its search index."""

from django.apps import AppConfig
from django.db.backends.signals import connection_created
from django.db.models.signals import post_delete, post_migrate

_PURGE_EVERY_S = 3600.0
_UPLOADS_EVERY_S = 600.0
_FOLD_EVERY_S = 30.0


class PlaygroundConfig(AppConfig):
    name = "playground"

    def ready(self) -> None:
        from inference.accounts.storage_quota import MEASURES
        from inference.serving.maintenance import TASKS, Task
        from playground import attached_files, folding, word_table
        from playground.kept_bytes import kept_bytes
        from playground.models import Conversation, PendingAttachment
        from playground.purge import mark_traces, purge

        TASKS.append(Task(purge, _PURGE_EVERY_S))
        TASKS.append(Task(word_table.fold_new, _FOLD_EVERY_S))
        TASKS.append(Task(attached_files.forget_old, _PURGE_EVERY_S))
        TASKS.append(Task(_forget_uploads, _UPLOADS_EVERY_S))
        MEASURES.append(kept_bytes)
        post_migrate.connect(word_table.index_words, sender=self)
        connection_created.connect(folding.register)
        for model in (Conversation, PendingAttachment):
            post_delete.connect(mark_traces, sender=model)


def _forget_uploads() -> None:
    """Forget old uploads. Its imports take half a second, which commands need not wait for."""
    from playground.imports.uploads import UPLOADS

    UPLOADS.forget_old()
