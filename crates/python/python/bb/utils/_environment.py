"""The process environment: what of it gets into the metadata, and changing it for a while."""

import os
from contextlib import contextmanager

from bb.utils._log import logger

_LOCALE = "en_US.UTF-8"

_EXPORTED = ("BB_TASKHASH", "HOME", "LOGNAME", "PATH", "PWD", "SHELL", "USER", "LC_ALL", "BBSERVER")
_KEPT = ("BBPATH", "BB_PRESERVE_ENV", "BB_ENV_PASSTHROUGH_ADDITIONS")


def preserved_envvars_exported():
    """Variables taken from the environment and exported to tasks."""
    return list(_EXPORTED)


def preserved_envvars():
    """Variables taken from the environment."""
    return list(_KEPT + _EXPORTED)


def check_system_locale():
    """Leave the program unless the host has the locale that builds run in."""
    import locale
    saved = locale.setlocale(locale.LC_CTYPE)
    try:
        locale.setlocale(locale.LC_CTYPE, _LOCALE)
    except locale.Error:
        raise SystemExit('Please make sure locale "%s" is available on your system' % _LOCALE) from None
    finally:
        locale.setlocale(locale.LC_CTYPE, saved)
    import sys
    if sys.getfilesystemencoding().lower() != "utf-8":
        raise SystemExit("Please use a locale setting which supports UTF-8 (such as LANG=%s).\n"
                         "Python can't change the filesystem locale after loading so we need a UTF-8 when "
                         "Python starts or things won't work." % _LOCALE)


def approved_variables():
    """The variables that may stay in the environment, after BB_ENV_PASSTHROUGH and its additions."""
    if "BB_PRESERVE_ENV" in os.environ:
        return os.environ.keys()
    if "BB_ENV_PASSTHROUGH" in os.environ:
        approved = os.environ["BB_ENV_PASSTHROUGH"].split() + ["BB_ENV_PASSTHROUGH"]
    else:
        approved = preserved_envvars()
    if "BB_ENV_PASSTHROUGH_ADDITIONS" in os.environ:
        approved.extend(os.environ["BB_ENV_PASSTHROUGH_ADDITIONS"].split())
        if "BB_ENV_PASSTHROUGH_ADDITIONS" not in approved:
            approved.append("BB_ENV_PASSTHROUGH_ADDITIONS")
    return approved


def filter_environment(good_vars):
    """Remove all but `good_vars` from the environment and set the locale; the removed ones."""
    removed = {name: value for name, value in os.environ.items() if name not in good_vars}
    for name in removed:
        del os.environ[name]
    os.environ["LC_ALL"] = _LOCALE
    if removed:
        logger.debug("Removed the following variables from the environment: %s", ", ".join(removed))
    return removed


def clean_environment():
    """Remove what is not approved from the environment; the removed variables."""
    if "BB_PRESERVE_ENV" in os.environ:
        return {}
    return filter_environment(approved_variables())


def empty_environment():
    """Remove everything from the environment."""
    for name in list(os.environ):
        del os.environ[name]


def build_environment(d):
    """Put the exported variables of a datastore into the environment."""
    import bb.data
    for name in bb.data.keys(d):
        if d.getVarFlag(name, "export", False):
            os.environ[name] = d.getVar(name) or ""


def export_proxies(d):
    """Put proxy and other settings that fetching needs into the environment.

    Taken from the datastore, else from the environment bitzel was started in.
    """
    import bb.fetch2
    for name, value in bb.fetch2.get_fetcher_environment(d).items():
        os.environ[name] = value


@contextmanager
def environment(**envvars):
    """Have some environment variables within a `with` block."""
    saved = {name: os.environ.get(name) for name in envvars}
    os.environ.update(envvars)
    try:
        yield
    finally:
        for name, value in saved.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextmanager
def umask(new_mask):
    """Have another umask within a `with` block."""
    saved = os.umask(new_mask)
    try:
        yield
    finally:
        os.umask(saved)
