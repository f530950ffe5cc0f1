"""The models folder, checked for the commands that write to it."""

from pathlib import Path

from django.core.management import CommandError

from inference.core.config import Config


def models_folder(config: Config) -> Path:
    """The folder that models are written to; the default one is created. Raises CommandError without one."""
    if config.models_dir and not config.models_dir.is_dir():
        raise CommandError(
            f"There is no folder {config.models_dir}, which MLX_SERVER_MODELS_DIR or --models-dir names. "
            "Correct the setting, or create the folder; without the setting, models go to "
            f"{config.data_dir / 'models'}."
        )
    try:
        config.models_path.mkdir(parents=True, exist_ok=True)
    except OSError as error:  # a link to nowhere, for example
        raise CommandError(
            f"The models folder {config.models_path} cannot be created: {error.strerror}. Correct that, or "
            "set another one with MLX_SERVER_MODELS_DIR or --models-dir."
        ) from None
    return config.models_path
