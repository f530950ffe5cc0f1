"""Where `manage.py quantise` has a model quantised: in the running site, or in this process without one."""

from contextlib import nullcontext
from typing import Protocol

from django.conf import settings

from inference.core.quantisation import QuantisationSettings
from inference.management.client import Client
from inference.repository.conversions.active_conversion import ConversionState
from inference.repository.quantising.active_quantisation import ActiveQuantisation
from inference.repository.quantising.register import Quantisations
from inference.serving import quantising


class Maker(Protocol):
    """Where a quantisation runs."""

    def start(
        self, model: str, how: QuantisationSettings, name: str, measures: bool
    ) -> ActiveQuantisation: ...

    def look(self, name: str) -> ActiveQuantisation: ...

    def cancel(self, name: str) -> None: ...

    def close(self) -> None: ...


class HereMaker:
    """This process, where no site runs."""

    def __init__(self) -> None:
        self._register = Quantisations(
            settings.CONFIG.models_path, claim=lambda plan: nullcontext(), on_done=lambda: None
        )

    def start(self, model: str, how: QuantisationSettings, name: str, measures: bool) -> ActiveQuantisation:
        planned = quantising.plan(model, how, name=name, measures=measures)
        quantising.check_machine(planned)
        return self._register.start(planned)

    def look(self, name: str) -> ActiveQuantisation:
        found = self._register.of(name)
        return found or ActiveQuantisation(name=name, state=ConversionState.FAILED)

    def cancel(self, name: str) -> None:
        self._register.cancel(name)

    def close(self) -> None:
        """Wait until nothing of a cancelled one is left."""
        self._register.close()


class SiteMaker:
    """The running site."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def start(self, model: str, how: QuantisationSettings, name: str, measures: bool) -> ActiveQuantisation:
        return self._client.quantise(model, how, name=name, measures=measures)

    def look(self, name: str) -> ActiveQuantisation:
        lost = ActiveQuantisation(
            name=name, state=ConversionState.FAILED, message="The site no longer lists it."
        )
        return next((one for one in self._client.quantisations() if one.name == name), lost)

    def cancel(self, name: str) -> None:
        self._client.cancel_quantisation(name)

    def close(self) -> None:
        """It goes on without this command."""
