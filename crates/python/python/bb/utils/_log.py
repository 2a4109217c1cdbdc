"""The logger of `bb.utils`."""

import logging

logger = logging.getLogger("BitBake.Util")
