"""The event of the end of everything; collecting and building are native."""

import logging

from bb import event

logger = logging.getLogger("BitBake")


class CookerExit(event.Event):
    """The server ends."""
