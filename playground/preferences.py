"""An account's default settings, system prompts and favourite models. Everything here is synchronous."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from inference.core.errors import InvalidValue, NotFound
from playground.models import DefaultSettings, FavouriteModel, SystemPrompt

MOST_PROMPTS = 200
MOST_FAVOURITES = 1000
_TAKEN = "You already have a prompt with this name."


def mine(user: Any) -> dict[str, Any]:
    """What the page knows of its visitor: the account, its owner's name, and what the account prefers.

    `defaults`, the settings of new chats, and `favourites` are None without an account: then the browser
    keeps them.
    """
    if not user.is_authenticated:
        return {"account": "", "name": "", "defaults": None, "favourites": None}
    store = PreferenceStore(user)
    return {
        "account": str(user.pk),
        "name": user.get_full_name() or user.get_username(),
        "defaults": store.settings(),
        "favourites": store.favourites(),
    }


class PreferenceStore:
    """The preferences of one account. A visitor without one keeps them in the browser.

    Methods that return a dict or a list return what the page receives as JSON.
    """

    def __init__(self, user: User | None) -> None:
        if user is None:
            raise NotFound("Without an account, settings and prompts are kept in your browser.")
        self._user = user

    def settings(self) -> dict[str, str]:
        """The settings that a new chat begins with."""
        found = DefaultSettings.objects.filter(user=self._user).first()
        return dict(found.settings) if found else {}

    def set_settings(self, settings: Mapping[str, str]) -> dict[str, str]:
        """Replace them; settings that are empty are left to the model."""
        kept = {name: value for name, value in settings.items() if value.strip()}
        DefaultSettings.objects.update_or_create(user=self._user, defaults={"settings": kept})
        return kept

    def favourites(self) -> list[str]:
        """The ids of the favourite models, the earliest first."""
        return list(FavouriteModel.objects.filter(user=self._user).values_list("model", flat=True))

    @transaction.atomic
    def change_favourites(self, add: Iterable[str], remove: Iterable[str]) -> list[str]:
        """Add and remove favourites, and return all; InvalidValue for too many, and nothing is changed."""
        own = FavouriteModel.objects.filter(user=self._user)
        own.filter(model__in=list(remove)).delete()
        added = [FavouriteModel(user=self._user, model=model) for model in dict.fromkeys(add)]
        FavouriteModel.objects.bulk_create(added, ignore_conflicts=True)
        if own.count() > MOST_FAVOURITES:
            raise InvalidValue(f"At most {MOST_FAVOURITES:,} favourites are kept; remove some.", param="add")
        return self.favourites()

    def prompts(self) -> list[dict[str, Any]]:
        """All saved prompts, by name."""
        return [prompt.payload for prompt in SystemPrompt.objects.filter(user=self._user)]

    @transaction.atomic
    def add_prompt(self, name: str, text: str) -> dict[str, Any]:
        """Save a prompt; raises InvalidValue for a name that is taken, and for too many."""
        own = SystemPrompt.objects.filter(user=self._user)
        if own.filter(name=name).exists():
            raise InvalidValue(_TAKEN, param="name")
        if own.count() >= MOST_PROMPTS:
            raise InvalidValue(f"At most {MOST_PROMPTS} prompts can be saved; delete one.", param="name")
        return SystemPrompt.objects.create(user=self._user, name=name, text=text).payload

    def change_prompt(self, pk: int, changes: Mapping[str, str]) -> dict[str, Any]:
        """Change the name or the text; raises NotFound, and InvalidValue for a name that is taken."""
        prompt = self._prompt(pk)
        for name, value in changes.items():
            setattr(prompt, name, value)
        try:
            with transaction.atomic():
                prompt.save()
        except IntegrityError:
            raise InvalidValue(_TAKEN, param="name") from None
        return prompt.payload

    def delete_prompt(self, pk: int) -> None:
        """Delete a prompt; raises NotFound."""
        self._prompt(pk).delete()

    def _prompt(self, pk: int) -> SystemPrompt:
        prompt = SystemPrompt.objects.filter(user=self._user, pk=pk).first()
        if prompt is None:
            raise NotFound("There is no such prompt; it may have been deleted in another window.")
        return prompt
