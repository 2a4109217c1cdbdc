"""Layers of files, plugins, caught log messages and profiles."""

import importlib.machinery
import logging
import re


class LogCatcher(logging.Handler):
    """A handler that remembers messages, so that code can look at them afterwards."""

    def __init__(self):
        super().__init__()
        self.messages = []

    def emit(self, record):
        import bb.msg
        self.messages.append(bb.msg.BBLogFormatter("%(levelname)s: %(message)s").format(record))

    def contains(self, message):
        """Whether exactly this `LEVEL: text` was logged."""
        return message in self.messages


def get_collection_res(d):
    """The file patterns (BBFILE_PATTERN) of the layers in BBFILE_COLLECTIONS, by layer name."""
    names = (d.getVar("BBFILE_COLLECTIONS") or "").split()
    return {name: d.getVar("BBFILE_PATTERN_%s" % name) or "" for name in names}


def get_file_layer(filename, d, collection_res={}):
    """The name of the last layer whose pattern matches a file's path, or None."""
    found = None
    for name, pattern in (collection_res or get_collection_res(d)).items():
        if pattern and re.match(pattern, filename):
            found = name
    return found


# Endings of files that can be imported.
python_extensions = importlib.machinery.all_suffixes()


def load_plugins(logger, plugins, pluginpath):
    """Import the modules in a directory into the list `plugins`.

    A module with a function `plugin_init` has it called with the list; what that gives,
    or else the module, becomes a member.
    """
    import importlib.util
    import os

    known = {getattr(plugin, "__file__", None) for plugin in plugins}
    endings = sorted(python_extensions, key=len, reverse=True)
    if not os.path.isdir(pluginpath):
        return
    names = {}
    for file in sorted(os.listdir(pluginpath)):
        for ending in endings:
            if file.endswith(ending):
                names.setdefault(file[:-len(ending)], file)
                break
    logger.debug("Loading plugins from %s...", pluginpath)
    for name, file in sorted(names.items()):
        path = os.path.join(pluginpath, file)
        if name == "__init__" or path in known:
            continue
        logger.debug("Loading plugin %s", name)
        spec = importlib.util.spec_from_file_location(name, path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        made = module.plugin_init(plugins) if hasattr(module, "plugin_init") else None
        plugins.append(made or module)


def process_profilelog(fn, fn_out=None):
    """Turn a profile (or several) into a readable report beside it."""
    import pstats
    files = fn if isinstance(fn, list) else [fn]
    with open(fn_out or files[0] + ".processed", "w") as out:
        stats = pstats.Stats(files[0], stream=out)
        for file in files[1:]:
            stats.add(file)
        for order in ("time", "cumulative"):
            stats.sort_stats(order)
            stats.print_stats()
        stats.print_callers()


def profile_function(profile, function, output_fn, process=True):
    """Call a function, with a profile of it written if `profile`; what it returns."""
    if not profile:
        return function()
    import cProfile
    profiler = cProfile.Profile()
    result = profiler.runcall(function)
    profiler.dump_stats(output_fn)
    if process:
        process_profilelog(output_fn)
        logging.getLogger("BitBake.Util").info(
            "Raw profiling information saved to %s and processed statistics to %s.processed", output_fn, output_fn)
    return result
