"""`hg://`: Mercurial repositories."""

import logging
import os
import shlex

import bb.utils

from . import command, tarball, tracing
from .errors import FetchError
from .method import FetchMethod

logger = logging.getLogger("BitBake.Fetcher")


class Hg(FetchMethod):
    """Fetcher of Mercurial repositories."""

    schemes = ("hg",)

    def supports_checksum(self, urldata):
        """The revision is the checksum."""
        return False

    def supports_srcrev(self):
        """SRCREV applies."""
        return True

    def urldata_init(self, ud, d):
        """Module, clone and the mirror tarball's name."""
        ud.module = self.required_parameter(ud, "module")
        self.refuse_options(ud, host=ud.host, module=ud.module, user=ud.user, rev=ud.parm.get("rev"))
        ud.proto = ud.parm.get("protocol", "hg")
        ud.basecmd = d.getVar("FETCHCMD_hg") or "/usr/bin/env hg"
        name = "%s_%s_%s" % (ud.module.replace("/", "."), ud.host, ud.path.replace("/", "."))
        dldir = d.getVar("DL_DIR")
        mirror = "hg_%s.tar.gz" % name
        ud.fullmirror = os.path.join(dldir, mirror)
        ud.mirrortarballs = [mirror]
        ud.pkgdir = os.path.join(d.getVar("HGDIR") or os.path.join(dldir, "hg"), name)
        ud.moddir = os.path.join(ud.pkgdir, ud.module)
        ud.localfile = ud.moddir
        ud.setup_revisions(d)
        if not ud.revision:
            ud.revision = self.latest_revision(ud, d, ud.name)
        ud.write_tarballs = bb.utils.to_boolean(d.getVar("BB_GENERATE_MIRROR_TARBALLS") or "0")

    def localpath(self, ud, d):
        """The clone's folder."""
        return ud.pkgdir

    def _repo_url(self, ud):
        host = ud.host
        proto = "http" if ud.proto == "hg" else ud.proto
        if proto == "file":
            return "file://" + ud.path if ud.path.endswith("/" + ud.module) else ud.path.rstrip("/") + "/" + ud.module
        if ud.user:
            host = "%s%s@%s" % (ud.user, ":" + ud.pswd if ud.pswd else "", host)
        return "%s://%s%s" % (proto, host, ud.path)

    def _hg(self, ud, d, args, workdir=None):
        return command.runfetchcmd([*shlex.split(ud.basecmd), *args], d, workdir=workdir)

    def _network(self, ud, d, args, workdir=None):
        if ud.proto != "file":
            command.check_network_access(d, "hg " + args[0], ud.url)
        return self._hg(ud, d, args, workdir)

    def _has_revision(self, ud, d):
        if not os.path.exists(os.path.join(ud.moddir, ".hg")):
            return False
        try:
            self._hg(ud, d, ["log", "-r", ud.revision, "-l", "1"], ud.moddir)
            return True
        except FetchError:
            return False

    def need_update(self, ud, d):
        """Whether clone or tarball lack anything."""
        if ud.revision == "tip" or not self._has_revision(ud, d):
            return True
        return ud.write_tarballs and not os.path.exists(ud.fullmirror)

    def try_premirror(self, ud, d):
        """An existing clone is updated from upstream, unless only premirrors may be used."""
        return bb.utils.to_boolean(d.getVar("BB_FETCH_PREMIRRORONLY")) or not os.path.exists(ud.moddir)

    def download(self, ud, d):
        """Brings the clone up to date, its work tree at the revision. Raises FetchError."""
        if os.path.exists(ud.fullmirror) and not self._has_revision(ud, d):
            bb.utils.mkdirhier(ud.pkgdir)
            command.runfetchcmd(["tar", "-xzf", ud.fullmirror], d, workdir=ud.pkgdir)
        if os.path.exists(os.path.join(ud.moddir, ".hg")):
            if not self._has_revision(ud, d):
                self._network(ud, d, ["pull", "--", self._repo_url(ud)], ud.moddir)
        else:
            bb.utils.mkdirhier(ud.pkgdir)
            bb.utils.remove(ud.moddir, True)
            self._network(ud, d, ["clone", "--", self._repo_url(ud), ud.module], ud.pkgdir)
        if not self._has_revision(ud, d):
            raise FetchError("Unable to find revision %s even from upstream" % ud.revision, ud.url)
        self._hg(ud, d, ["update", "-C", "-r", ud.revision], ud.moddir)

    def build_mirror_data(self, ud, d):
        """Writes the mirror tarball, where asked for."""
        if not ud.write_tarballs or os.path.exists(ud.fullmirror):
            return
        logger.info("Creating tarball of hg repository")
        tarball.pack(d, ud.fullmirror, [ud.module], ud.pkgdir)
        tarball.stamp(ud.fullmirror)

    def unpack(self, ud, destdir, d):
        """A checkout of the revision; with `scmdata=nokeep` without the repository."""
        # BitBake: `subdir` says nothing here.
        subdir = ud.parm.get("destsuffix", ud.module)
        target = os.path.join(destdir, subdir)
        tracing.tracer(d).unpack("hg", target)
        if ud.parm.get("scmdata") == "nokeep":
            bb.utils.mkdirhier(os.path.dirname(target))
            self._hg(ud, d, ["archive", "-t", "files", "-r", ud.revision, "--", target], ud.moddir)
            return
        if not os.path.exists(os.path.join(target, ".hg")):
            bb.utils.mkdirhier(os.path.dirname(target))
            self._hg(ud, d, ["clone", "--noupdate", "--", ud.moddir, target])
        else:
            self._hg(ud, d, ["pull", "--", ud.moddir], target)
        self._hg(ud, d, ["update", "-C", "-r", ud.revision], target)

    def clean(self, ud, d):
        """Removes clone and tarball."""
        bb.utils.remove(ud.localpath, True)
        bb.utils.remove(ud.fullmirror)
        bb.utils.remove(ud.fullmirror + ".done")

    def _revision_key(self, ud, d, name):
        return "hg:" + ud.moddir

    def _latest_revision(self, ud, d, name):
        return self._network(ud, d, ["identify", "-i", "-r", "tip", "--", self._repo_url(ud)]).strip().rstrip("+")
