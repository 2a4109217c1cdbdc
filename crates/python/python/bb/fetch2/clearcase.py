"""`ccrc://`: ClearCase views, by the cleartool or rcleartool command line tool."""

import os
import shutil

import bb.utils

from . import command, tarball
from .errors import ParameterError
from .method import FetchMethod


class ClearCase(FetchMethod):
    """Fetcher of ClearCase modules, as tarballs. SRCREV is a label."""

    schemes = ("ccrc",)

    def urldata_init(self, ud, d):
        """View, module and the tarball's name."""
        ud.proto = ud.parm.get("protocol", "https")
        if ud.proto not in ("http", "https"):
            raise ParameterError("Invalid protocol type", ud.url)
        ud.vob = self.required_parameter(ud, "vob")
        ud.module = ud.parm.get("module", "")
        ud.basecmd = d.getVar("FETCHCMD_ccrc") or "/usr/bin/env cleartool || rcleartool"
        ud.label = d.getVar("SRCREV") or ""
        ud.customspec = d.getVar("CCASE_CUSTOM_CONFIG_SPEC")
        ud.server = "%s://%s%s" % (ud.proto, ud.host, ud.path)
        module = (ud.vob + ud.module).replace("/", ".").strip(".")
        ud.identifier = "clearcase-%s-%s" % (module, ud.label)
        ud.viewname = "%s-view%s" % (ud.identifier, d.getVar("DATETIME", False))
        ud.csname = "%s-config-spec" % ud.identifier
        ud.ccasedir = os.path.join(d.getVar("DL_DIR"), ud.type)
        ud.viewdir = os.path.join(ud.ccasedir, ud.viewname)
        ud.configspecfile = os.path.join(ud.ccasedir, ud.csname)
        ud.localfile = "%s.tar.gz" % ud.identifier

    def supports_srcrev(self):
        """The label is in the name."""
        return True

    def sortable_revision(self, ud, d, name):
        """The label as it is."""
        return False, ud.identifier

    def _tool(self, ud, d, args):
        path = d.getVar("PATH")
        tool = "cleartool" if shutil.which("cleartool", path=path) else "rcleartool"
        command.check_network_access(d, "%s %s" % (tool, args[0]), ud.url)
        return command.runfetchcmd([tool, *args], d, workdir=ud.ccasedir)

    def _configspec(self, ud):
        if ud.customspec:
            return ud.customspec
        lines = ["element * CHECKEDOUT", "element * %s" % ud.label if ud.label else "element * .../LATEST",
                 "element * /main/LATEST", "load %s%s" % (ud.vob, ud.module)]
        return "\n".join(lines) + "\n"

    def download(self, ud, d):
        """Makes a view, loads it and packs it. Raises FetchError."""
        bb.utils.mkdirhier(ud.ccasedir)
        with open(ud.configspecfile, "w", encoding="utf-8") as stream:
            stream.write(self._configspec(ud))
        self._tool(ud, d, ["mkview", "-snapshot", "-tag", ud.viewname, ud.viewdir])
        try:
            self._tool(ud, d, ["setcs", ud.configspecfile])
            tarball.pack(d, ud.localpath, [(ud.vob + ud.module).strip("/")], ud.viewdir)
        finally:
            self._tool(ud, d, ["rmview", "-force", ud.viewdir])

    def clean(self, ud, d):
        """Removes view and tarball."""
        bb.utils.remove(ud.localpath)
        bb.utils.remove(ud.viewdir, True)
        bb.utils.remove(ud.configspecfile)
