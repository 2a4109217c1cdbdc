"""Unpack tracers: objects a build may name (BB_UNPACK_TRACER_CLASS) to be told what is unpacked where."""

import importlib


class DummyUnpackTracer:
    """Listens to nothing; the base of tracers."""

    def start(self, unpackdir, urldata_dict, d):
        """Unpacking of these URLs below `unpackdir` begins."""

    def start_url(self, url):
        """Unpacking of `url` begins."""

    def unpack(self, unpack_type, destdir):
        """Something of the kind `unpack_type` is unpacked to `destdir`."""

    def finish_url(self, url):
        """Unpacking of `url` is over."""

    def complete(self):
        """All is unpacked."""


_state = {}


def tracer(d):
    """The tracer of this build: the class that BB_UNPACK_TRACER_CLASS names (`module.Class`)."""
    name = d.getVar("BB_UNPACK_TRACER_CLASS")
    if _state.get("name") != name or "tracer" not in _state:
        cls = DummyUnpackTracer
        if name:
            module, _, attribute = name.rpartition(".")
            cls = getattr(importlib.import_module(module), attribute)
        _state["name"] = name
        _state["tracer"] = cls()
    return _state["tracer"]
