"""`npmsw://`: npm shrinkwrap files; refused, as BitBake refuses them."""

from .npm import Npm


class NpmShrinkWrap(Npm):
    """See `bb.fetch2.npm`."""

    schemes = ("npmsw",)


def foreach_dependencies(shrinkwrap, callback=None, dev=False):
    """Calls `callback(name, properties, path)` for each package of a shrinkwrap, bundled ones left out."""
    for path, properties in (shrinkwrap.get("packages") or {}).items():
        name = path.split("node_modules/")[-1]
        wanted = path and not properties.get("inBundle", False) and (dev or not properties.get("dev", False))
        if wanted and callback:
            callback(name, properties, path)
