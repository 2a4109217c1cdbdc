"""`git://`: bare clones in DL_DIR/git2 and checkouts from them.

This module: parameters, names, the state of the clone, downloading. Checkouts are
in `gitcheckout`, shallow clones in `gitshallow`, large files in `gitlfs`.
"""

import logging
import os
import re
import shlex
import tempfile
import urllib.parse

import bb.utils

from . import command, gitcheckout, gitlfs, gitshallow, tarball, upstream
from .errors import BBFetchException, FetchError, ParameterError
from .method import FetchMethod

logger = logging.getLogger("BitBake.Fetcher")

_PROTOCOLS = ("git", "file", "ssh", "http", "https", "rsync")
_HEX40 = re.compile(r"[0-9a-f]{40}")
# BitBake: the same for every user and host: no pager, no maintenance in the background.
_GIT = ("git -c gc.autoDetach=false -c core.pager=cat -c safe.bareRepository=all "
        "-c clone.defaultRemoteName=origin")


def is_full_revision(text):
    """Whether `text` is a full SHA-1 object name."""
    return bool(text) and _HEX40.fullmatch(text) is not None


def source_name(ud):
    """The name of a repository in DL_DIR: host and path, without what file names should not have."""
    name = (ud.host.replace(":", ".") + ud.path.replace("/", ".").replace("*", ".")
            .replace(" ", "_").replace("(", "_").replace(")", "_"))
    return name[1:] if name.startswith(".") else name


class Git(FetchMethod):
    """Fetcher of Git repositories."""

    schemes = ("git",)
    # Cuts a repository's history off; also for use by hand.
    make_shallow_path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "git-make-shallow")

    def supports_checksum(self, urldata):
        """The revision is the checksum."""
        return False

    def supports_srcrev(self):
        """SRCREV applies."""
        return True

    def urldata_init(self, ud, d):
        """Parameters, revision, names of clone and mirror tarballs."""
        flag = lambda name: ud.parm.get(name, "0") == "1"
        ud.proto = ud.parm.get("protocol") or ("file" if not ud.host else "git")
        if ud.proto not in _PROTOCOLS:
            raise ParameterError("Invalid protocol type: '%s'" % ud.proto, ud.url)
        ud.nobranch = flag("nobranch")
        ud.rebaseable = flag("rebaseable")
        ud.usehead = flag("usehead")
        if ud.usehead:
            if ud.proto != "file":
                raise ParameterError("The usehead option is only for use with local ('protocol=file') git "
                                     "repositories", ud.url)
            ud.nobranch = True
        ud.bareclone = flag("bareclone")
        ud.nocheckout = 1 if flag("nocheckout") or ud.bareclone else False
        ud.noshared = d.getVar("BB_GIT_NOSHARED") == "1"
        ud.cloneflags = "-n" + ("" if ud.noshared else " -s") + (" --mirror" if ud.bareclone else "")
        ud.branch = ud.parm.get("branch", "")
        if not ud.branch and not ud.nobranch:
            raise ParameterError("The url does not set any branch parameter or set nobranch=1.", ud.url)
        self.refuse_options(ud, host=ud.host, user=ud.user, branch=ud.branch, tag=ud.parm.get("tag"),
                            rev=ud.parm.get("rev"), subpath=ud.parm.get("subpath"))
        ud.basecmd = d.getVar("FETCHCMD_git") or _GIT
        ud.write_tarballs = (bb.utils.to_boolean(d.getVar("BB_GENERATE_MIRROR_TARBALLS") or "0")
                             or ud.rebaseable)
        ud.unresolvedrev = "HEAD" if ud.usehead else ud.branch or "master"
        ud.setup_revisions(d)
        if not is_full_revision(ud.revision):
            # A tag or branch name: what it stands for now.
            if ud.revision:
                ud.unresolvedrev = ud.revision
            ud.revision = self.latest_revision(ud, d, ud.name)
        gitshallow.setup(ud, d)
        self._setup_names(ud, d)

    def _setup_names(self, ud, d):
        name = source_name(ud)
        if ud.rebaseable:
            # The branch may be rewritten: a clone for each revision.
            name += "_" + ud.revision
        dldir = d.getVar("DL_DIR")
        gitdir = d.getVar("GITDIR") or os.path.join(dldir, "git2")
        ud.clonedir = os.path.join(gitdir, name)
        ud.localfile = ud.clonedir
        mirror = "git2_%s.tar.gz" % name
        ud.fullmirror = os.path.join(dldir, mirror)
        ud.mirrortarballs = [mirror]
        if ud.shallow:
            ud.shallowtarball = gitshallow.tarball_name(ud, name)
            ud.fullshallow = os.path.join(dldir, ud.shallowtarball)
            ud.mirrortarballs.insert(0, ud.shallowtarball)

    def localpath(self, ud, d):
        """The clone."""
        return ud.clonedir

    # Running git

    def git(self, ud, d, args, workdir=None, quiet=True, environment=()):
        """Runs git and returns what it printed. Raises FetchError."""
        words = [*(["env", *environment] if environment else []), *shlex.split(ud.basecmd), *args]
        return command.runfetchcmd(words, d, quiet=quiet, workdir=workdir)

    def network(self, ud, d, args, workdir=None):
        """Runs a git command that contacts upstream, if that is allowed."""
        if ud.proto.lower() != "file":
            command.check_network_access(d, "git " + " ".join(args), ud.url)
        return self.git(ud, d, args, workdir, environment=("LANG=C",))

    def _get_repo_url(self, ud):
        """The repository's URL as git has it."""
        credentials = ""
        if ud.user:
            credentials = "%s%s@" % (ud.user, ":" + ud.pswd if ud.pswd else "")
        return "%s://%s%s%s" % (ud.proto, credentials, ud.host, urllib.parse.quote(ud.path))

    # The state of the clone

    def contains_revision(self, ud, d, directory):
        """Whether the clone has the revision, on the branch named."""
        if ud.nobranch:
            return self._nonempty(ud, d, ["log", "--pretty=oneline", "-n", "1", ud.revision, "--"], directory)
        return self._nonempty(ud, d, ["branch", "--contains", ud.revision, "--list", ud.branch], directory)

    def contains_tag(self, ud, d, directory):
        """Whether the clone has the tag named."""
        return self._nonempty(ud, d, ["rev-parse", "--verify", "--quiet", "refs/tags/%s" % ud.parm["tag"]], directory)

    def _nonempty(self, ud, d, args, directory):
        try:
            return bool(self.git(ud, d, args, directory).strip())
        except FetchError:
            return False

    def clonedir_need_update(self, ud, d):
        """Whether the clone lacks what the URL asks for."""
        if not os.path.exists(ud.clonedir):
            return True
        if not self._is_repository(ud, d):
            return True
        if ud.shallow and ud.write_shallow_tarballs and gitshallow.missing_revisions(self, ud, d):
            return True
        if not self.contains_revision(ud, d, ud.clonedir):
            return True
        return "tag" in ud.parm and not is_full_revision(ud.parm["tag"]) \
            and not self.contains_tag(ud, d, ud.clonedir)

    def _is_repository(self, ud, d):
        """Whether the clone itself is one, not a folder in somebody's repository."""
        try:
            found = self.git(ud, d, ["rev-parse", "--absolute-git-dir"], ud.clonedir).rstrip("\n")
        except FetchError:
            return False
        # A tarball may hold a repository with its work tree.
        own = os.path.realpath(ud.clonedir)
        return os.path.realpath(found) in (own, os.path.join(own, ".git"))

    def shallow_tarball_need_update(self, ud):
        """Whether a shallow tarball is to be written."""
        return ud.shallow and ud.write_shallow_tarballs and not os.path.exists(ud.fullshallow)

    def tarball_need_update(self, ud):
        """Whether a mirror tarball is to be written."""
        return ud.write_tarballs and not os.path.exists(ud.fullmirror)

    def need_update(self, ud, d):
        """Whether anything must be done for the URL."""
        if ud.shallow and os.path.exists(ud.fullshallow):
            return False
        return (self.clonedir_need_update(ud, d) or self.shallow_tarball_need_update(ud)
                or self.tarball_need_update(ud) or gitlfs.need_update(self, ud, d, ud.clonedir))

    def verify_donestamp(self, ud, d):
        """A shallow tarball is as good as a clone."""
        if ud.shallow and os.path.exists(ud.fullshallow):
            return True
        return super().verify_donestamp(ud, d)

    def try_premirror(self, ud, d):
        """An existing clone is updated from upstream, unless only premirrors may be used."""
        if bb.utils.to_boolean(d.getVar("BB_FETCH_PREMIRRORONLY")):
            return True
        return not os.path.exists(ud.clonedir)

    # Downloading

    def download(self, ud, d):
        """Brings the clone up to date: from a mirror's tarball, then from upstream. Raises FetchError."""
        if ud.shallow and os.path.exists(ud.fullshallow):
            return
        if os.path.islink(ud.clonedir) and not os.path.exists(ud.clonedir):
            # Its mirror's clone is gone.
            os.unlink(ud.clonedir)
        if os.path.exists(ud.fullmirror) and self.clonedir_need_update(ud, d):
            self._from_tarball(ud, d)
        if self.clonedir_need_update(ud, d):
            fast = ud.shallow and not ud.shallow_skip_fast and not os.path.exists(ud.clonedir)
            if fast and gitshallow.download(self, ud, d):
                return
            self._from_upstream(ud, d)
        gitlfs.download(self, ud, d)

    def _from_tarball(self, ud, d):
        """Unpacks a mirror's tarball to the clone, or fetches from it what the clone lacks."""
        if not os.path.exists(ud.clonedir):
            parent = os.path.dirname(ud.clonedir)
            bb.utils.mkdirhier(parent)
            temporary = tempfile.mkdtemp(dir=parent)
            try:
                command.runfetchcmd(["tar", "-xzf", ud.fullmirror], d, workdir=temporary)
                os.chmod(temporary, 0o777 & ~tarball.umask())
                os.rename(temporary, ud.clonedir)
            finally:
                bb.utils.remove(temporary, recurse=True)
            return
        with tempfile.TemporaryDirectory(dir=d.getVar("DL_DIR")) as temporary:
            command.runfetchcmd(["tar", "-xzf", ud.fullmirror], d, workdir=temporary)
            self.git(ud, d, ["fetch", "-f", "--update-head-ok", "--progress", temporary, "refs/*:refs/*"], ud.clonedir)

    def _from_upstream(self, ud, d):
        url = self._get_repo_url(ud)
        if ud.proto == "file" and os.path.isdir(os.path.join(ud.path, "objects")):
            # BitBake: of a bare repository of this machine git is told the path, so that it links instead of copying.
            url = ud.path
        if os.path.exists(ud.clonedir) and not self._is_repository(ud, d):
            # What an interrupted clone left.
            bb.utils.remove(ud.clonedir, recurse=True)
        if not os.path.exists(ud.clonedir):
            bb.utils.mkdirhier(os.path.dirname(ud.clonedir))
            # A clone that is interrupted must not look like one.
            temporary = "%s.tmp" % ud.clonedir
            bb.utils.remove(temporary, recurse=True)
            try:
                self.network(ud, d, ["clone", "--bare", "--mirror", "--progress", "--", url, temporary])
                os.rename(temporary, ud.clonedir)
            finally:
                bb.utils.remove(temporary, recurse=True)
        if self.clonedir_need_update(ud, d):
            self._update(ud, d, url)
        missing = gitshallow.missing_revisions(self, ud, d) if ud.shallow and ud.write_shallow_tarballs else []
        if missing:
            raise FetchError("Unable to find revision %s even from upstream" % missing[0])
        if not self.contains_revision(ud, d, ud.clonedir):
            where = "" if ud.nobranch else " in branch %s" % ud.branch
            raise FetchError("Unable to find revision %s%s even from upstream" % (ud.revision, where))

    def _update(self, ud, d, url):
        if "origin" in self.git(ud, d, ["remote"], ud.clonedir).split():
            self.git(ud, d, ["remote", "rm", "origin"], ud.clonedir)
        self.git(ud, d, ["remote", "add", "--mirror=fetch", "origin", url], ud.clonedir)
        refs = ["refs/*:refs/*"] if ud.nobranch else ["refs/heads/*:refs/heads/*", "refs/tags/*:refs/tags/*"]
        self.network(ud, d, ["fetch", "-f", "--update-head-ok", "--progress", url, *refs], ud.clonedir)
        # BitBake: the clone is kept small; nothing refers to its loose objects.
        self.git(ud, d, ["pack-refs", "--all"], ud.clonedir)
        self.git(ud, d, ["repack", "-adk"], ud.clonedir)
        self.git(ud, d, ["prune-packed"], ud.clonedir)
        # Tarballs of the old state are of no use to a mirror.
        if ud.write_tarballs:
            for path in (ud.fullmirror, ud.fullmirror + ".done"):
                if not os.path.islink(path):
                    bb.utils.remove(path)

    def build_mirror_data(self, ud, d):
        """Writes the tarballs that a mirror needs, where asked for."""
        if self.shallow_tarball_need_update(ud):
            gitshallow.write_tarball(self, ud, d)
        elif self.tarball_need_update(ud) and os.path.exists(ud.clonedir):
            self._write_mirror_tarball(ud, d)

    def _write_mirror_tarball(self, ud, d):
        logger.info("Creating tarball of git repository")
        when = self.git(ud, d, ["log", "--all", "-1", "--format=%cD"], ud.clonedir).strip()
        tarball.pack(d, ud.fullmirror, ["."], ud.clonedir,
                     ["--owner", "oe:0", "--group", "oe:0", *(["--mtime", when] if when else [])])
        tarball.stamp(ud.fullmirror)

    # Unpacking

    def unpack(self, ud, destdir, d):
        """Checks the revision out below `destdir`. Raises UnpackError, FetchError."""
        return gitcheckout.unpack(self, ud, destdir, d)

    def unpack_update(self, ud, destdir, d):
        """Moves a checkout to the revision, local commits on top of it."""
        return gitcheckout.unpack_update(self, ud, destdir, d)

    def process_submodules(self, ud, workdir, function, d):
        """`gitsm` has submodules; plain git has not."""

    def clean(self, ud, d):
        """Removes clone and tarballs."""
        for path in [ud.localpath, ud.fullmirror, ud.fullmirror + ".done"] + \
                ([ud.fullshallow, ud.fullshallow + ".done"] if ud.shallow else []):
            if os.path.islink(path):
                target = os.path.realpath(path)
                os.unlink(path)
                if os.path.dirname(target) == os.path.dirname(path):
                    bb.utils.remove(target, True)
            else:
                bb.utils.remove(path, True)

    # Revisions

    def _revision_key(self, ud, d, name):
        return "git:%s%s%s" % (ud.host, ud.path.replace("/", "."), ud.unresolvedrev)

    def _lsremote(self, ud, d, pattern=""):
        args = ["ls-remote", "--", self._get_repo_url(ud), *([pattern] if pattern else [])]
        output = self.network(ud, d, args)
        if not output:
            raise FetchError("The command git ls-remote gave empty output unexpectedly for %s"
                             % self._get_repo_url(ud), ud.url)
        return output

    def _latest_revision(self, ud, d, name):
        if not d.getVar("__BBSRCREV_SEEN"):
            raise FetchError("Recipe uses a floating tag/branch '%s' for repo '%s' without a fixed SRCREV yet doesn't "
                             "call bb.fetch2.get_srcrev() (use SRCPV in PV for OE)."
                             % (ud.unresolvedrev, ud.host + ud.path))
        if ud.unresolvedrev == "HEAD":
            wanted = ["HEAD"]
        elif ud.unresolvedrev.startswith("refs/"):
            wanted = [ud.unresolvedrev + "^{}", ud.unresolvedrev]
        else:
            wanted = [form % ud.unresolvedrev for form in ("refs/heads/%s", "refs/tags/%s^{}", "refs/tags/%s")]
        refs = {}
        for line in self._lsremote(ud, d).splitlines():
            revision, _, ref = line.partition("\t")
            refs.setdefault(ref, revision)
        for ref in wanted:
            if ref in refs:
                return refs[ref]
        raise FetchError("Unable to resolve '%s' in upstream git repository in git ls-remote output for %s"
                         % (ud.unresolvedrev, ud.host + ud.path))

    def latest_versionstring(self, ud, d):
        """(newest version among the tags, its revision): UPSTREAM_CHECK_GITTAGREGEX."""
        return upstream.latest_tag(self, ud, d)

    def checkstatus(self, fetch, ud, d):
        """Whether upstream answers."""
        try:
            self._lsremote(ud, d)
            return True
        except BBFetchException:
            return False
