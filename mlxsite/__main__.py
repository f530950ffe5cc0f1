"""The command line of this site: `mlxsite` where it is installed, `manage.py` in a checkout."""

import os
import sys
from contextlib import suppress

from inference import __version__

_VERSION = (["--version"], ["version"])


def main() -> None:
    """Run the command that the arguments name; settings that are wrong are one line on stderr."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mlxsite.settings")
    from inference.core import data_folder, garbage

    with garbage.paused():
        import django
        from django.core.exceptions import ImproperlyConfigured
        from django.core.management import execute_from_command_line

    program, *arguments = sys.argv
    if arguments in _VERSION:
        print(f"mlxsite {__version__}")  # Django would print its own
        return
    data_folder.create_private_files()
    try:
        # The imports of all apps, a tenth faster; the command reports what is wrong with the settings.
        with garbage.paused(), suppress(ImproperlyConfigured):
            django.setup()
        execute_from_command_line([_name(program), *arguments])
    except ImproperlyConfigured as error:
        sys.exit(f"Error: {error}")
    except KeyboardInterrupt:
        sys.exit(130)


def _name(program: str) -> str:
    """What Django's help calls the program: `python -m mlxsite` starts this file by its path."""
    return "mlxsite" if os.path.basename(program) == "__main__.py" else program


if __name__ == "__main__":
    main()
