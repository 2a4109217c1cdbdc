"""Shallow clones: BB_GIT_SHALLOW and the tarballs that hold them.

A shallow tarball is a repository with no more history than asked for; it stands in
for the clone, in DL_DIR and on mirrors. Its name tells what is in it.
"""

import collections
import fnmatch
import logging
import os
import tempfile

import bb.utils

from . import tarball
from .errors import FetchError

logger = logging.getLogger("BitBake.Fetcher")


def _depth(d, name, default):
    text = d.getVar(name)
    if text is None:
        return default
    try:
        depth = int(text)
    except ValueError:
        depth = -1
    if depth < 0:
        raise FetchError("Invalid depth for %s: %s" % (name, text))
    return depth


def setup(ud, d):
    """Reads the BB_GIT_SHALLOW variables: `shallow`, depths, cut-off revisions, further refs."""
    ud.shallow = d.getVar("BB_GIT_SHALLOW") == "1"
    ud.shallow_skip_fast = False
    ud.shallow_extra_refs = (d.getVar("BB_GIT_SHALLOW_EXTRA_REFS") or "").split()
    tag = ud.parm.get("tag")
    if tag and len(tag) != 40:
        ud.shallow_extra_refs.append("refs/tags/%s" % tag)
    ud.shallow_depths = collections.defaultdict(lambda: 1)
    ud.shallow_revs = []
    ud.write_shallow_tarballs = bb.utils.to_boolean(
        d.getVar("BB_GENERATE_SHALLOW_TARBALLS") or d.getVar("BB_GENERATE_MIRROR_TARBALLS") or "0")
    if not ud.shallow:
        return
    default = _depth(d, "BB_GIT_SHALLOW_DEPTH", 1)
    depth = _depth(d, "BB_GIT_SHALLOW_DEPTH_%s" % ud.name, default)
    ud.shallow_depths[ud.name] = depth
    revs = d.getVar("BB_GIT_SHALLOW_REVS_%s" % ud.name)
    if revs is None:
        revs = d.getVar("BB_GIT_SHALLOW_REVS")
    ud.shallow_revs = (revs or "").split()
    if depth == 0 and not ud.shallow_revs:
        # Nothing is cut off.
        ud.shallow = False


def tarball_name(ud, source):
    """BitBake's name: what was cut off, the revision, depth, branch and further refs."""
    prefix = "gitsmshallow" if ud.type == "gitsm" else "gitshallow"
    name = "%s_%s" % (prefix, source)
    if ud.bareclone:
        name += "_bare"
    name += "".join("_%s" % rev for rev in sorted(ud.shallow_revs))
    name += "_%s" % ud.revision[:7]
    if ud.shallow_depths[ud.name]:
        name += "-%d" % ud.shallow_depths[ud.name]
    refs = set()
    if not ud.nobranch:
        refs.add(ud.branch.replace("/", "."))
    for ref in ud.shallow_extra_refs:
        ref = ref.replace("refs/heads/", "").replace("*", "ALL").replace("/", ".")
        refs.add(ref)
    if refs:
        name += "_" + "_".join(sorted(refs))
    return name + ".tar.gz"


def missing_revisions(method, ud, d):
    """The cut-off revisions that the clone does not have."""
    missing = []
    for rev in ud.shallow_revs:
        try:
            method.git(ud, d, ["rev-parse", "-q", "--verify", rev, "--"], ud.clonedir)
        except FetchError:
            missing.append(rev)
    return missing


def download(method, ud, d):
    """Makes the shallow tarball from upstream without a full clone; False where upstream cannot serve that."""
    try:
        with tempfile.TemporaryDirectory(dir=d.getVar("DL_DIR")) as temporary:
            repository = os.path.join(temporary, "git")
            bb.utils.mkdirhier(repository)
            _clone(method, ud, d, repository, method._get_repo_url(ud), method.network)
            _pack(method, ud, d, repository)
        return True
    except FetchError as error:
        logger.warning("Creating fast initial shallow clone failed, try initial regular clone now.")
        logger.debug(str(error))
        return False


def write_tarball(method, ud, d):
    """Makes the shallow tarball from the clone. Raises FetchError."""
    with tempfile.TemporaryDirectory(dir=d.getVar("DL_DIR")) as temporary:
        repository = os.path.join(temporary, "git")
        bb.utils.mkdirhier(repository)
        try:
            _clone(method, ud, d, repository, "file://" + ud.clonedir, method.git)
            _extra_content(method, ud, d, repository)
            _pack(method, ud, d, repository)
        except FetchError as error:
            logger.error("Creating the shallow tarball failed: %s" % error)
            raise


def _extra_content(method, ud, d, repository):
    copy = getattr(method, "shallow_extra_content", None)
    if copy:
        copy(ud, d, repository)


def _clone(method, ud, d, repository, source, run):
    """Fetches revision, branch and further refs from `source` into a new repository, cut off as asked."""
    def git(*args):
        return method.git(ud, d, args, repository)

    git("init", "-q", *(["--bare"] if ud.bareclone else []))
    git("remote", "add", "origin", source)
    depth = ud.shallow_depths[ud.name]
    cut = ["--depth", str(depth)] if depth else []
    cut += ["--shallow-exclude=%s" % rev for rev in ud.shallow_revs]
    run(ud, d, ["fetch", "origin", ud.revision, *cut], repository)
    if ud.nobranch:
        own = "refs/shallow/%s" % ud.name
    elif ud.bareclone:
        own = "refs/heads/%s" % ud.branch
    else:
        own = "refs/remotes/origin/%s" % ud.branch
    git("update-ref", own, ud.revision)
    if ud.shallow_extra_refs:
        _fetch_extra_refs(method, ud, d, repository, run, cut)
    git("remote", "set-url", "origin", method._get_repo_url(ud))


def _fetch_extra_refs(method, ud, d, repository, run, cut):
    listing = run(ud, d, ["ls-remote", "origin", "refs/*"], repository)
    upstream = [line.partition("\t")[2] for line in listing.splitlines()]
    for pattern in ud.shallow_extra_refs:
        if "*" in pattern:
            found = [ref for ref in upstream if not ref.endswith("^{}") and fnmatch.fnmatchcase(ref, pattern)]
        else:
            found = [ref for ref in upstream if ref == pattern]
            if not found:
                raise FetchError("Unable to find ref %s even from upstream" % pattern)
        for ref in found:
            # Where a plain clone would have it.
            target = ref
            if ref.startswith("refs/heads/") and not ud.bareclone:
                target = ref.replace("refs/heads/", "refs/remotes/origin/", 1)
            run(ud, d, ["fetch", "--no-tags", "origin", *cut, "--", "+%s:%s" % (ref, target)], repository)


def _pack(method, ud, d, repository):
    logger.info("Creating tarball of git repository")
    tarball.pack(d, ud.fullshallow, ["."], repository)
    tarball.stamp(ud.fullshallow)
