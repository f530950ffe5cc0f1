"""Misspelt settings, which would leave a default in force without a message."""

import difflib

from pydantic_settings import DotEnvSettingsSource, EnvSettingsSource

from inference.core.config import PREFIX, Config
from inference.core.installation import INSTALLATION


def unknown_settings() -> list[str]:
    """What is set but is no setting, each with the one that was perhaps meant."""
    names = {f"{PREFIX}{name.upper()}" for name in Config.model_fields}
    given = {
        name.upper()
        for source in (EnvSettingsSource(Config), DotEnvSettingsSource(Config))
        for name in source.env_vars
        if name.upper().startswith(PREFIX)
    }
    return [f"{name} is not a setting; {_meant(name, names)}" for name in sorted(given - names)]


def _meant(name: str, names: set[str]) -> str:
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.8)
    if close:
        return f"did you mean {close[0]}?"
    return f"{INSTALLATION.page('configuration.md')} lists every setting."
