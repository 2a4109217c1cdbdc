"""Files of SRC_URI that enter the signature of do_fetch, found along FILESPATH."""

import os

import bb

from . import registry
from .errors import NoMethodError, ParameterError
from .url import decodeurl


def local_path(url, decoded):
    """The path a `file` URL names, as written. Raises ParameterError for a glob."""
    path = decoded[2]
    if "*" in path:
        raise ParameterError("file:// urls using globbing are no longer supported. Please place the files in a "
                             "directory and reference that instead.", url)
    return path


def search(path, filespath):
    """Where `path` was looked for: all candidates in order, and whether the last one exists.

    An absolute path is its own only candidate.
    """
    if path.startswith("/"):
        return [path], os.path.exists(path)
    tried = []
    for directory in filespath:
        candidate = os.path.join(directory, path)
        tried.append(candidate)
        if os.path.exists(candidate):
            return tried, True
    return tried, False


class FilesPath:
    """FILESPATH, with what is known of its folders, for several searches in a row.

    Most of its folders do not exist; nothing need be looked for in those.
    """

    def __init__(self, filespath):
        self._folders = [(folder, not folder or os.path.isdir(folder)) for folder in filespath.split(":")] \
            if filespath else []

    def search(self, path):
        """As `search()` of this module."""
        if path.startswith("/"):
            return [path], os.path.exists(path)
        tried = []
        for folder, present in self._folders:
            candidate = folder + "/" + path if folder and folder[-1] != "/" else folder + path
            tried.append(candidate)
            if present and os.path.exists(candidate):
                return tried, True
        return tried, False


def get_checksum_file_list(d):
    """[file-checksums] of do_fetch: `PATH:True` for each local file of SRC_URI, in order.

    It is preceded by `PATH:False` for each place that was looked at before, so that a
    file that appears there changes the signature. A file that is nowhere is fatal.
    """
    filespath = None
    entries = []
    for url in (d.getVar("SRC_URI") or "").split():
        scheme, colon, _ = url.partition(":")
        scheme = scheme.lower() if colon else ""
        if scheme != "file" or registry.methods:
            _check_scheme(url, scheme, d)
            if scheme != "file":
                continue
        path = local_path(url, decodeurl(url))
        if filespath is None:
            filespath = FilesPath(d.getVar("FILESPATH") or "")
        tried, found = filespath.search(path)
        if not found:
            bb.fatal("Unable to get checksum for %s SRC_URI entry %s: file could not be found\n"
                     "The following paths were searched:\n%s"
                     % (d.getVar("PN"), os.path.basename(path), "\n".join(tried)))
        entries.extend(candidate + ":False" for candidate in tried[:-1])
        entries.append(tried[-1] + ":True")
    return " ".join(entries)


def _check_scheme(url, scheme, d):
    """Raises what makes a recipe with this URL unparsable or skipped."""
    if registry.methods:
        from .urldata import FetchData
        FetchData(url, d)
        return
    method = registry.builtin(scheme)
    if method is None:
        raise NoMethodError(url)
    check = getattr(method, "check_enabled", None)
    if check:
        check()
