"""Configuration files."""

from bb import _native

# Functions called with (file name, datastore) after a configuration file was parsed.
confFilters = []


def supports(fn, d):
    """Whether a file is a configuration file."""
    return fn.endswith(".conf")


def handle(fn, data, include, baseconfig=False):
    """Parse a configuration file."""
    result = _native.parse_file(fn, data, include, baseconfig)
    for function in confFilters:
        function(fn, data)
    return result
