"""The models folder of the commands that write into it."""

from pathlib import Path

from django.core.management import CommandError

from inference.core.config import Config


def models_folder(config: Config) -> Path:
    """Where models go; CommandError where a folder that was named is not there."""
    if config.models_dir and not config.models_dir.is_dir():
        raise CommandError(
            f"There is no folder {config.models_dir}, which MLX_SERVER_MODELS_DIR or --models-dir names. "
            f"Correct it, or make the folder; without it, models go to {config.data_dir / 'models'}."
        )
    try:
        config.models_path.mkdir(parents=True, exist_ok=True)
    except OSError as error:  # a link to nowhere, for example
        raise CommandError(
            f"The models folder {config.models_path} cannot be made: {error.strerror}. Correct that, or name "
            "another one with MLX_SERVER_MODELS_DIR or --models-dir."
        ) from None
    return config.models_path
