"""The action that lets a model answer to the names that agents ask for."""

from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest

from inference.connect.agent_names import AGENT_NAMES, AS_TEXT
from inference.models import ServedModel
from inference.serving import control


class AgentAliases:
    """A part of the admin of models; `_run` is the admin's own."""

    @admin.action(description="Also answer to the names that agents use", permissions=["run"])
    def answer_agents(self: Any, request: HttpRequest, queryset: QuerySet[ServedModel]) -> None:
        for model in queryset:
            try:
                new = model.add_aliases(AGENT_NAMES)
            except ValidationError as error:
                self.message_user(request, f"{model.name}: {' '.join(error.messages)}", messages.ERROR)
                continue
            if new:
                self.log_change(request, model, f"Added the aliases {', '.join(new)}.")
            transaction.on_commit(partial(self._run, request, control.refresh, model.name))
            text = f"Requests for {AS_TEXT} are answered by {model.name} now; its aliases say so."
            self.message_user(request, text, messages.SUCCESS)
