"""`npmsw://`: npm shrinkwrap files; refused, as BitBake refuses them."""

from .npm import Npm


class NpmShrinkWrap(Npm):
    """See `bb.fetch2.npm`."""

    schemes = ("npmsw",)
