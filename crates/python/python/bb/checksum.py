"""Checksums of the local files that tasks depend on (`file-checksums`)."""

import glob
import os
import re

import bb

# Items are `path:True` or `path:False`, saying whether the path existed when parsed.
_ITEMS = re.compile(r"(?<=:True)\s+|(?<=:False)\s+")


class FileMtimeCache(object):
    """Modification times of files, asked of the system once."""

    cache = {}

    def cached_mtime(self, f):
        if f not in self.cache:
            self.cache[f] = os.stat(f).st_mtime_ns
        return self.cache[f]

    def cached_mtime_noerror(self, f):
        try:
            return self.cached_mtime(f)
        except OSError:
            return 0

    def update_mtime(self, f):
        self.cache.pop(f, None)
        return self.cached_mtime(f)

    def clear(self):
        self.cache.clear()


class FileChecksumCache(object):
    """MD5 checksums of files, computed again only if a file changed."""

    def __init__(self):
        self._known = {}

    def get_checksum(self, f):
        """The checksum of a file (links followed), or "" if it is not there."""
        path = os.path.normpath(f)
        try:
            status = os.stat(path)
        except OSError:
            return ""
        stamp = (status.st_mtime_ns, status.st_size, status.st_ino)
        known = self._known.get(path)
        if known is None or known[0] != stamp:
            known = self._known[path] = (stamp, bb.utils.md5_file(path))
        return known[1]

    def get_checksums(self, filelist, pn, localdirsexclude):
        """Sorted (path, checksum) pairs of the files in a `file-checksums` list.

        Patterns count with all files they match, directories with all files below them but
        those in directories of the names `localdirsexclude`.
        """
        checksums = []

        def add(path, root=None):
            try:
                checksum = self.get_checksum(path)
            except OSError as err:
                bb.warn("Unable to get checksum for %s SRC_URI entry %s: %s" % (pn, os.path.basename(path), err))
                return
            if checksum:
                name = path if root is None else os.path.join(root, ".", os.path.relpath(path, root))
                checksums.append((name, checksum))

        for item in _ITEMS.split(filelist.strip()):
            path = item.rsplit(":", 1)[0].strip()
            if not path:
                continue
            if "*" in path:
                for match in glob.glob(path):
                    self._add_tree(match, add, localdirsexclude) if os.path.isdir(match) else add(match)
            elif os.path.isdir(path):
                if os.path.normpath(path) == "/":
                    bb.fatal("Refusing to checksum '/' in SRC_URI entry of %s" % pn)
                self._add_tree(path, add, localdirsexclude)
            else:
                add(path)
        checksums.sort(key=lambda pair: pair[1])
        return checksums

    @staticmethod
    def _add_tree(top, add, excluded):
        for directory, names, files in os.walk(top, topdown=True):
            names[:] = sorted(name for name in names if name not in excluded)
            for name in sorted(files):
                path = os.path.join(directory, name)
                if os.path.exists(path):
                    add(path, top)
