"""Checkouts of Git repositories, from the clone or shallow tarball in DL_DIR."""

import os
import shlex

import bb.utils

from . import command, gitlfs, tracing
from .errors import FetchError, LocalModificationsError, RebaseError, UnpackError


def destination(ud, root, d):
    """The folder to check out to, below the root: in `subdir`, or named by `destsuffix`, `subpath` or for all alike."""
    subdir = ud.parm.get("subdir")
    subpath = ud.parm.get("subpath")
    if subdir:
        if os.path.isabs(subdir):
            top = os.path.realpath(root).rstrip("/") + "/"
            if not (os.path.realpath(subdir) + "/").startswith(top):
                raise UnpackError("subdir argument isn't a subdirectory of unpack root %s" % root, ud.url)
        root, default = os.path.join(root, subdir), ""
    elif subpath:
        default = os.path.basename(subpath.rstrip("/")) + "/"
    else:
        default = d.getVar("BB_GIT_DEFAULT_DESTSUFFIX") or "git"
    return os.path.join(root, ud.parm.get("destsuffix", default))


def unpack(method, ud, root, d):
    """A fresh checkout of the revision. Raises UnpackError, FetchError."""
    destdir = destination(ud, root, d)
    if os.path.lexists(destdir):
        bb.utils.prunedir(destdir)
    environment = () if gitlfs.wanted(ud) else ("GIT_LFS_SKIP_SMUDGE=1",)

    def git(*args):
        return method.git(ud, d, args, destdir, environment=environment)

    tracing.tracer(d).unpack("git", destdir)
    _bring_repository(method, ud, destdir, d)
    _verify_tag(ud, git)
    git("remote", "set-url", "origin", method._get_repo_url(ud))
    _set_dldir_remote(ud, git)
    if gitlfs.has_content(method, ud, d, destdir) and gitlfs.wanted(ud):
        gitlfs.require_tool(ud, d)
        gitlfs.provide(method, ud, d, destdir)
    if not ud.nocheckout:
        _check_out(ud, git)
    return True


def _bring_repository(method, ud, destdir, d):
    """The repository from the clone, else from the shallow tarball. Raises UnpackError."""
    errors = []
    if not method.clonedir_need_update(ud, d):
        bb.utils.mkdirhier(os.path.dirname(destdir.rstrip("/")))
        method.git(ud, d, ["clone", *shlex.split(ud.cloneflags), "--", ud.clonedir + "/", destdir])
        return
    errors.append("clone directory not available or not up to date: " + ud.clonedir)
    if ud.shallow:
        if os.path.exists(ud.fullshallow):
            bb.utils.mkdirhier(destdir)
            command.runfetchcmd(["tar", "-xzf", ud.fullshallow], d, workdir=destdir)
            return
        errors.append("shallow clone not available: " + ud.fullshallow)
    else:
        errors.append("shallow clone not enabled")
    raise UnpackError("No up to date source found: " + "; ".join(errors), ud.url)


def _verify_tag(ud, git):
    """Raises FetchError unless the tag named is the revision."""
    tag = ud.parm.get("tag")
    if not tag or tag == ud.revision:
        return
    found = git("rev-list", "-n", "1", "refs/tags/" + tag).strip()
    # The revision may be that of the tag object itself.
    if found != ud.revision and found != git("rev-list", "-n", "1", ud.revision).strip():
        raise FetchError("The revision the git tag '%s' resolved to didn't match the SRCREV in use (%s vs %s)"
                         % (tag, found, ud.revision), ud.url)


def _set_dldir_remote(ud, git):
    """The clone as a remote, for updates without network."""
    url = "file://" + ud.clonedir
    if "dldir" in git("remote").split():
        git("remote", "set-url", "dldir", url)
    else:
        git("remote", "add", "dldir", url)


def _check_out(ud, git):
    subpath = ud.parm.get("subpath")
    if subpath:
        git("read-tree", "%s:%s" % (ud.revision, subpath.strip("/")))
        git("checkout-index", "-q", "-f", "-a")
        git("update-ref", "--no-deref", "HEAD", ud.revision)
        if not ud.nobranch:
            git("update-ref", "refs/heads/%s" % ud.branch, ud.revision)
    elif ud.nobranch:
        git("checkout", ud.revision)
    else:
        git("checkout", "-B", ud.branch, ud.revision)
        git("branch", ud.branch, "--set-upstream-to", "origin/%s" % ud.branch)


def unpack_update(method, ud, root, d):
    """Moves an existing checkout to the revision and rebases local commits onto it.

    Raises LocalModificationsError for uncommitted changes, RebaseError where commits do
    not fit, UnpackError where the clone cannot serve.
    """
    destdir = destination(ud, root, d)

    def git(*args):
        return method.git(ud, d, args, destdir)

    if os.path.exists(os.path.join(destdir, ".git", "shallow")) or method.clonedir_need_update(ud, d):
        raise UnpackError("No up to date clone to update from, or the checkout is a shallow clone: %s" % destdir,
                          ud.url)
    try:
        changes = git("status", "--untracked-files=no", "--porcelain")
    except FetchError as error:
        raise UnpackError("Unable to update %s: %s" % (destdir, error), ud.url) from error
    if changes.strip():
        raise LocalModificationsError(destdir, ud.url, changes)
    try:
        _set_dldir_remote(ud, git)
        git("fetch", "dldir", ud.revision)
    except FetchError as error:
        raise UnpackError("Unable to fetch from the download cache: %s" % error, ud.url) from error
    try:
        git("rebase", "--no-autosquash", "--no-autostash", ud.revision)
    except FetchError as error:
        if os.path.exists(os.path.join(destdir, ".git", "rebase-merge")) or \
                os.path.exists(os.path.join(destdir, ".git", "rebase-apply")):
            git("rebase", "--abort")
        raise RebaseError(destdir, ud.url, str(error)) from error
    return True
