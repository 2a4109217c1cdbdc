"""`repo://`: sets of repositories named by a manifest, by Google's repo tool."""

import logging
import os
import shlex

import bb.utils

from . import command, tarball
from .method import FetchMethod

logger = logging.getLogger("BitBake.Fetcher")


class Repo(FetchMethod):
    """Fetcher of repo manifests, as tarballs."""

    schemes = ("repo",)

    def urldata_init(self, ud, d):
        """Manifest, branch and the tarball's name."""
        ud.basecmd = d.getVar("FETCHCMD_repo") or "/usr/bin/env repo"
        ud.proto = ud.parm.get("protocol", "git")
        ud.branch = ud.parm.get("branch", "master")
        ud.manifest = ud.parm.get("manifest", "default.xml")
        if not ud.manifest.endswith(".xml"):
            ud.manifest += ".xml"
        self.refuse_options(ud, branch=ud.branch, manifest=ud.manifest, host=ud.host)
        ud.localfile = "repo_%s%s_%s_%s.tar.gz" % (ud.host, ud.path.replace("/", "."), ud.manifest, ud.branch)

    def download(self, ud, d):
        """Initialises and syncs, and packs the result. Raises FetchError."""
        if os.access(ud.localpath, os.R_OK):
            logger.debug("%s already exists (or was stashed). Skipping repo init / sync.", ud.localpath)
            return
        repodir = d.getVar("REPODIR") or os.path.join(d.getVar("DL_DIR"), "repo")
        name = "%s%s" % (ud.host, ud.path.replace("/", "."))
        codir = os.path.join(repodir, name, ud.manifest)
        user = ud.user + "@" if ud.user else ""
        folder = os.path.join(codir, "repo")
        bb.utils.mkdirhier(folder)
        tool = shlex.split(ud.basecmd)
        url = "%s://%s%s%s" % (ud.proto, user, ud.host, ud.path)
        if not os.path.exists(os.path.join(folder, ".repo")):
            command.check_network_access(d, "repo init", ud.url)
            command.runfetchcmd([*tool, "init", "-m", ud.manifest, "-b", ud.branch, "-u", url], d, workdir=folder)
        command.check_network_access(d, "repo sync", ud.url)
        command.runfetchcmd([*tool, "sync", "--jobs=1"], d, workdir=folder)
        filters = [] if ud.parm.get("scmdata") == "keep" else ["--exclude=.repo", "--exclude=.git"]
        tarball.pack(d, ud.localpath, ["repo"], codir, filters)
