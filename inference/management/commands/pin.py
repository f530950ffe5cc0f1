"""`manage.py pin ID`: never evict a model, and load it whenever the site starts."""

from inference.management.pin_command import PinCommand


class Command(PinCommand):
    help = "Never evict a model, and load it whenever the site starts."
    action = "pin"
