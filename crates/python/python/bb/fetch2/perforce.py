"""`p4://`: Perforce depots, by the p4 command line tool."""

import os
import shlex

import bb.utils

from . import command, tarball
from .errors import FetchError
from .method import FetchMethod


class Perforce(FetchMethod):
    """Fetcher of Perforce files, as tarballs of one changelist."""

    schemes = ("p4",)

    def supports_checksum(self, urldata):
        """The revision is the checksum."""
        return False

    def supports_srcrev(self):
        """SRCREV applies."""
        return True

    def urldata_init(self, ud, d):
        """Server, depot path and the tarball's name."""
        ud.basecmd = d.getVar("FETCHCMD_p4") or "/usr/bin/env p4"
        ud.p4port = d.getVar("P4PORT") or self._configured_port(ud, d)
        ud.usingp4config = not d.getVar("P4PORT")
        if not ud.p4port:
            raise FetchError("Could not determine P4PORT from P4CONFIG", ud.url)
        ud.module = ud.parm.get("module", "").replace("/...", "").strip("/")
        ud.basepath = ud.path.strip("/")
        self.refuse_options(ud, path=ud.basepath, module=ud.module)
        ud.keepremotepath = ud.parm.get("remotepath") == "keep"
        depot = ud.host + ("/" + ud.basepath if ud.basepath else "")
        ud.pathisdir = depot.endswith("/...") or bool(ud.module)
        if depot.endswith("/..."):
            depot = depot[:-len("/...")]
            ud.basepath = ud.basepath[:-len("/...")] if ud.basepath.endswith("/...") else ud.basepath
        ud.depot = "//" + depot
        ud.setup_revisions(d)
        dldir = d.getVar("DL_DIR")
        name = (ud.p4port + "/" + depot + ("/" + ud.module if ud.module else "")).replace("/", ".").replace(":", ".")
        ud.pkgdir = os.path.join(d.getVar("P4DIR") or os.path.join(dldir, "p4"), name)
        ud.localfile = "%s_%s.tar.gz" % (name, ud.revision)

    def _configured_port(self, ud, d):
        output = command.runfetchcmd([*shlex.split(ud.basecmd), "info"], d)
        for line in output.splitlines():
            if line.startswith("Server address:"):
                return line.partition(":")[2].strip()
        return ""

    def _p4(self, ud, d, args, workdir=None):
        environment = ["env"]
        if ud.user:
            environment.append("P4USER=%s" % ud.user)
        if ud.pswd:
            environment.append("P4PASSWD=%s" % ud.pswd)
        if not ud.usingp4config:
            environment.append("P4PORT=%s" % ud.p4port)
        command.check_network_access(d, "p4 %s" % args[0], ud.url)
        return command.runfetchcmd([*environment, *shlex.split(ud.basecmd), *args], d, workdir=workdir, secrets=[ud.pswd])

    def _spec(self, ud):
        path = ud.depot + ("/" + ud.module if ud.module else "")
        return path + ("/..." if ud.pathisdir else "") + "@%s" % ud.revision

    def download(self, ud, d):
        """Prints each file to a folder and packs it. Raises FetchError."""
        bb.utils.remove(ud.pkgdir, True)
        bb.utils.mkdirhier(ud.pkgdir)
        listing = self._p4(ud, d, ["files", self._spec(ud)])
        top = "//" if ud.keepremotepath else ud.depot.rstrip("/") + "/"
        for line in listing.splitlines():
            depotfile, hash_mark, rest = line.partition("#")
            if not hash_mark or " delete " in rest or " move/delete " in rest:
                continue
            below = os.path.relpath(depotfile, top.rstrip("/") or "/") if depotfile.startswith(top) \
                else os.path.basename(depotfile)
            target = os.path.join(ud.pkgdir, "p4", below.lstrip("/"))
            bb.utils.mkdirhier(os.path.dirname(target))
            self._p4(ud, d, ["print", "-q", "-o", target, "%s#%s" % (depotfile, rest.split()[0])])
        tarball.pack(d, ud.localpath, ["p4"], ud.pkgdir)

    def clean(self, ud, d):
        """Removes folder and tarball."""
        bb.utils.remove(ud.localpath)
        bb.utils.remove(ud.pkgdir, True)

    def _revision_key(self, ud, d, name):
        return "p4:" + ud.pkgdir

    def _latest_revision(self, ud, d, name):
        output = self._p4(ud, d, ["changes", "-m", "1", ud.depot + "/..."])
        words = output.split()
        if len(words) < 2:
            raise FetchError("p4 changes names no changelist", ud.url)
        return words[1]

    def sortable_revision(self, ud, d, name):
        """Changelists count up by themselves."""
        return False, str(ud.revision)
