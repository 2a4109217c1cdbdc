"""Which fetcher serves which scheme.

`methods` is the list metadata may extend: an object with `supports(ud, d)` that
is appended to it takes part, and is asked before bitzel's own fetchers.
"""

import importlib

from .errors import NoMethodError

# Scheme -> module and class. Modules are imported when a URL needs them.
_BUILTIN = {
    "file": ("local", "Local"),
    "http": ("wget", "Wget"), "https": ("wget", "Wget"), "ftp": ("wget", "Wget"), "ftps": ("wget", "Wget"),
    "svn": ("svn", "Svn"),
    "git": ("git", "Git"),
    "gitsm": ("gitsm", "GitSM"),
    "gitannex": ("gitannex", "GitANNEX"),
    "ssh": ("ssh", "SSH"),
    "sftp": ("sftp", "SFTP"),
    "s3": ("s3", "S3"),
    "p4": ("perforce", "Perforce"),
    "hg": ("hg", "Hg"),
    "repo": ("repo", "Repo"),
    "ccrc": ("clearcase", "ClearCase"),
    "npm": ("npm", "Npm"),
    "npmsw": ("npmsw", "NpmShrinkWrap"),
    "az": ("az", "Az"),
    "crate": ("crate", "Crate"),
    "gs": ("gcp", "GCP"),
    "gomod": ("gomod", "GoMod"),
    "gomodgit": ("gomod", "GoModGit"),
}

# Fetchers appended by metadata.
methods = []

_instances = {}


def schemes():
    """The schemes bitzel itself can fetch, sorted."""
    return sorted(_BUILTIN)


def builtin(scheme):
    """bitzel's fetcher of `scheme`, None if there is none."""
    entry = _BUILTIN.get(scheme)
    if entry is None:
        return None
    if entry not in _instances:
        module = importlib.import_module("bb.fetch2." + entry[0])
        _instances[entry] = getattr(module, entry[1])()
    return _instances[entry]


def method_for(ud, d):
    """The fetcher of the URL `ud`. Raises NoMethodError."""
    for method in methods:
        if method.supports(ud, d):
            return method
    method = builtin(ud.type)
    if method is None:
        error = NoMethodError(ud.url)
        error.msg += " (supported: %s)" % " ".join(schemes())
        raise error
    return method


def is_local(method):
    """Whether `method` serves files of this machine, for which file checksums are taken."""
    return getattr(method, "local", False)
