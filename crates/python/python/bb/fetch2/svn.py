"""`svn://`: Subversion, as tarballs of one revision."""

import os
import re
import shlex

import bb.utils

from . import command, tarball
from .errors import FetchError
from .method import FetchMethod


class Svn(FetchMethod):
    """Fetcher of Subversion repositories."""

    schemes = ("svn",)

    def supports_checksum(self, urldata):
        """The revision is the checksum."""
        return False

    def supports_srcrev(self):
        """SRCREV applies."""
        return True

    def urldata_init(self, ud, d):
        """Module, working copy and the tarball's name."""
        ud.module = self.required_parameter(ud, "module")
        self.refuse_options(ud, host=ud.host, module=ud.module, path_spec=ud.parm.get("path_spec"), user=ud.user,
                            transportuser=ud.parm.get("transportuser"))
        ud.basecmd = d.getVar("FETCHCMD_svn") or "/usr/bin/env svn --non-interactive"
        ud.path_spec = ud.parm.get("path_spec", ud.module)
        svndir = d.getVar("SVNDIR") or os.path.join(d.getVar("DL_DIR"), "svn")
        ud.pkgdir = os.path.join(svndir, ud.host, self._strip_leading_slashes(ud.path))
        ud.moddir = os.path.join(ud.pkgdir, ud.path_spec)
        ud.svnlock = os.path.join(ud.pkgdir, "svn.lock")
        ud.externals = ud.parm.get("externals") == "allowed"
        ud.pegrevision = "nopegrevision" not in ud.parm
        ud.setup_revisions(d)
        if not ud.revision:
            ud.revision = ud.parm.get("rev", "")
        ud.localfile = "%s_%s_%s_%s_%s.tar.gz" % (
            ud.module.replace("/", "."), ud.host, ud.path.replace("/", "."), ud.revision,
            "1" if ud.pegrevision else "0")

    def _svn(self, ud, d, what):
        """The words of a command: `info`, `fetch` or `update`."""
        proto = ud.parm.get("protocol", "svn")
        root = "%s%s" % (ud.host, ud.path)
        if proto == "svn+ssh" and "transportuser" in ud.parm:
            root = "%s@%s" % (ud.parm["transportuser"], root)
        environment = []
        if proto == "svn+ssh" and "ssh" in ud.parm:
            environment = ["env", "SVN_SSH=%s" % ud.parm["ssh"]]
        options = ["--ignore-externals"] if not ud.externals and what != "info" else []
        if ud.user:
            options += ["--username", ud.user]
        if ud.pswd:
            options += ["--password", ud.pswd]
        words = [*environment, *shlex.split(ud.basecmd)]
        if what == "info":
            return words + ["info", *options, "--", "%s://%s/%s/" % (proto, root, ud.module)]
        peg = ""
        if ud.revision:
            options += ["-r", ud.revision]
            peg = "@%s" % ud.revision if ud.pegrevision else ""
        if what == "fetch":
            return words + ["co", *options, "--", "%s://%s/%s%s" % (proto, root, ud.module, peg), ud.path_spec]
        return words + ["update", *options]

    def _run(self, ud, d, what, workdir=None):
        words = self._svn(ud, d, what)
        if ud.parm.get("protocol", "svn") != "file":
            command.check_network_access(d, "svn %s" % what, ud.url)
        return command.runfetchcmd(words, d, workdir=workdir, secrets=[ud.pswd])

    def download(self, ud, d):
        """Checks the revision out and packs it."""
        bb.utils.mkdirhier(ud.pkgdir)
        lock = bb.utils.lockfile(ud.svnlock)
        try:
            if os.path.isdir(os.path.join(ud.moddir, ".svn")):
                # An older working copy may be of an older format, or interrupted.
                try:
                    command.runfetchcmd([*shlex.split(ud.basecmd), "upgrade"], d, workdir=ud.moddir)
                except FetchError:
                    pass
                self._run(ud, d, "update", ud.moddir)
            else:
                self._run(ud, d, "fetch", ud.pkgdir)
            filters = [] if ud.parm.get("scmdata") == "keep" else ["--exclude=.svn"]
            tarball.pack(d, ud.localpath, [ud.path_spec], ud.pkgdir, filters)
        finally:
            bb.utils.unlockfile(lock)

    def need_update(self, ud, d):
        """Whether the tarball is missing."""
        return not os.path.exists(ud.localpath)

    def clean(self, ud, d):
        """Removes working copy and tarball."""
        bb.utils.remove(ud.localpath)
        bb.utils.remove(ud.moddir, True)

    def _revision_key(self, ud, d, name):
        return "svn:" + ud.moddir

    def _latest_revision(self, ud, d, name):
        output = self._run(ud, d, "info")
        match = re.search(r"^Last Changed Rev: (\d+)", output, re.MULTILINE)
        if not match:
            raise FetchError("svn info names no revision for %s" % ud.url, ud.url)
        return match.group(1)

    def sortable_revision(self, ud, d, name):
        """Revisions count up by themselves."""
        return False, str(ud.revision)
