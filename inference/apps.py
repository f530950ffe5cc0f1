"""The app's place in Django: it registers checks and starts nothing."""

from django.apps import AppConfig
from django.core import checks


class InferenceConfig(AppConfig):
    name = "inference"
    verbose_name = "Models"

    def ready(self) -> None:
        from inference.checks import check_blas, check_exposure

        checks.register(check_blas)
        checks.register(check_exposure)
