"""What accounts did over /api, in the history that the admin shows."""

import logging
from typing import Literal

from django.contrib.auth.models import User
from django.db import DatabaseError

from inference.accounts import audit_log
from inference.models import Capture, Download, Quantisation, ServedModel

logger = logging.getLogger(__name__)
Kind = Literal["model", "download", "quantisation", "capture"]
_TABLES = {"model": ServedModel, "download": Download, "quantisation": Quantisation, "capture": Capture}


def write(user: User | None, kind: Kind, name: str, message: str) -> None:
    """Note what a user did; `manage.py` and the operator's key have no user, and no entry.

    The action is done by then, so a database that cannot be written to does not make it fail.
    """
    if user is None:
        return
    try:
        row = ServedModel.objects.filter(name=name).first() if kind == "model" else None
        audit_log.write(user, _TABLES[kind], name, message, row)
    except DatabaseError:
        logger.exception("%r: %s: %s This is not in the history.", user.get_username(), name, message)
