"""The app's place in Django: it registers checks and starts nothing."""

from django.apps import AppConfig


class InferenceConfig(AppConfig):
    name = "inference"
    verbose_name = "Models"
