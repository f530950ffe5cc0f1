"""`manage.py unpin ID`: let a pinned model go again when its memory is needed."""

from inference.management.pin_command import PinCommand


class Command(PinCommand):
    help = "Unpin a model, so that it can be evicted when its memory is needed."
    action = "unpin"
