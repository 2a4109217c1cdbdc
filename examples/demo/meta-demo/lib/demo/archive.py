"""Archives that are the same bytes whenever the same files go in."""

import os
import tarfile


def names(root):
    """Everything below `root`, sorted, relative to it."""
    found = []
    for folder, folders, files in os.walk(root):
        found += [os.path.relpath(os.path.join(folder, name), root) for name in folders + files]
    return sorted(found)


def write(path, root, members, compression=""):
    """Writes the `members` of `root` to the archive `path`, owned by root, without times."""
    def plain(info):
        info.uid = info.gid = info.mtime = 0
        info.uname = info.gname = ""
        return info
    with tarfile.open(path, "w:" + compression, format=tarfile.GNU_FORMAT) as archive:
        for name in members:
            archive.add(os.path.join(root, name), name, recursive=False, filter=plain)


def extract(path, root):
    """Unpacks an archive of `write` into `root`."""
    with tarfile.open(path) as archive:
        archive.extractall(root)
