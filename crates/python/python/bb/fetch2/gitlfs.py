"""Git LFS: large files that a repository only names."""

import os
import re
import shutil

from .errors import FetchError

_LFS_FILTER = re.compile(r"^[^#].*lfs", re.MULTILINE)


def wanted(ud):
    """Whether large files are to be had (`lfs=0` says no)."""
    return ud.parm.get("lfs", "1") == "1"


def has_content(method, ud, d, directory):
    """Whether the revision's attributes name the LFS filter."""
    try:
        attributes = method.git(ud, d, ["show", "%s:.gitattributes" % ud.revision], directory)
    except FetchError:
        return False
    return _LFS_FILTER.search(attributes) is not None


def require_tool(ud, d):
    """Raises FetchError unless git-lfs is installed."""
    if shutil.which("git-lfs", path=d.getVar("PATH")) is None:
        raise FetchError("Repository %s has LFS content, install git-lfs on host to download (or set lfs=0 to ignore "
                         "it)" % (ud.host + ud.path), ud.url)


def _objects(method, ud, d, directory):
    """Names of the large files' objects in the revision."""
    listing = method.git(ud, d, ["lfs", "ls-files", "--long", ud.revision], directory)
    return [line.split()[0] for line in listing.splitlines() if line.strip()]


def _object_path(directory, oid):
    return os.path.join(directory, "lfs", "objects", oid[:2], oid[2:4], oid)


def need_update(method, ud, d, directory):
    """Whether the clone lacks large files of the revision."""
    if not wanted(ud) or not has_content(method, ud, d, directory):
        return False
    if shutil.which("git-lfs", path=d.getVar("PATH")) is None:
        return True
    return any(not os.path.exists(_object_path(directory, oid)) for oid in _objects(method, ud, d, directory))


def download(method, ud, d):
    """Fetches the large files of the revision into the clone. Raises FetchError."""
    if not wanted(ud) or not has_content(method, ud, d, ud.clonedir):
        return
    require_tool(ud, d)
    if any(not os.path.exists(_object_path(ud.clonedir, oid)) for oid in _objects(method, ud, d, ud.clonedir)):
        method.network(ud, d, ["lfs", "fetch", method._get_repo_url(ud), ud.revision], ud.clonedir)


def provide(method, ud, d, checkout):
    """Hands the clone's large files to a checkout and lets its git use them."""
    source = os.path.join(ud.clonedir, "lfs")
    gitdir = checkout if ud.bareclone else os.path.join(checkout, ".git")
    if os.path.isdir(source):
        shutil.copytree(source, os.path.join(gitdir, "lfs"), symlinks=True, dirs_exist_ok=True, copy_function=_link)
    method.git(ud, d, ["lfs", "install", "--local"], checkout)


def _link(source, target, follow_symlinks=True):
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target, follow_symlinks=follow_symlinks)
    return target
