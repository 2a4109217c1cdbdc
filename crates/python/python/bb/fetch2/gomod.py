"""`gomod://` and `gomodgit://`: Go modules, put where Go's module cache has them.

The cache's layout and the zip files in it are described in "Go Modules Reference"
(go.dev/ref/mod, "Module cache" and "Module zip files").
"""

import hashlib
import os
import re
import shutil
import subprocess
import tarfile
import tempfile
import zipfile

import bb
import bb.utils

from . import tracing
from .errors import MissingParameterError, ParameterError, UnpackError
from .git import Git
from .wget import Wget


def escape(module):
    """A module path as the cache and proxies have it: capitals as `!` and the small letter."""
    return re.sub("[A-Z]", lambda match: "!" + match.group(0).lower(), module)


def _cache(d):
    return d.getVar("GO_MOD_CACHE_DIR") or "pkg/mod"


def _download_folder(d, module):
    return os.path.join(_cache(d), "cache", "download", escape(module), "@v")


class GoMod(Wget):
    """Fetcher of Go modules from a proxy: `gomod://MODULE;version=vX.Y.Z`, `mod=1` for the go.mod alone."""

    schemes = ("gomod",)

    def urldata_init(self, ud, d):
        """The proxy's URL, names in DL_DIR and in the module cache."""
        proxy = d.getVar("GO_MOD_PROXY") or "proxy.golang.org"
        if "version" not in ud.parm:
            raise MissingParameterError("version", ud.url)
        version = ud.parm["version"]
        if "/" in version or version.startswith("-"):
            raise ParameterError("Invalid version: '%s'" % version, ud.url)
        module = ud.host if ud.path == "/" else ud.host + ud.path
        suffix = ".mod" if ud.parm.get("mod", "0") == "1" else ".zip"
        ud.parm["module"] = module
        ud.url = "https://%s/%s/%%40v/%s%s" % (proxy, escape(module).replace("!", "%21"), version, suffix)
        ud.parm["downloadfilename"] = "%s@%s%s" % (module.replace("/", "."), version, suffix)
        ud.parm["name"] = "%s@%s" % (module, version)
        ud.parm["unpackpath"] = os.path.join(_download_folder(d, module), version + suffix)
        super().urldata_init(ud, d)

    def unpack(self, ud, rootdir, d):
        """Copies the file into the module cache, the go.mod of an archive beside it."""
        target = os.path.join(rootdir, ud.parm["unpackpath"])
        folder = os.path.dirname(target)
        bb.note("Unpacking %s to %s/" % (os.path.basename(target), folder))
        bb.utils.mkdirhier(folder)
        tracing.tracer(d).unpack("file-copy", folder)
        shutil.copyfile(ud.localpath, target)
        if not target.endswith(".zip"):
            return
        module, version = ud.parm["module"], ud.parm["version"]
        # An archive without go.mod stands for a module that says no more than its name.
        text = b"module %s\n" % module.encode("utf-8")
        with zipfile.ZipFile(ud.localpath) as archive:
            name = "%s@%s/go.mod" % (module, version)
            if name in archive.namelist():
                text = archive.read(name)
        _write_mod(target, text)

    def latest_versionstring(self, ud, d):
        """Unknown."""
        return ("", "")


def _write_mod(zip_path, text):
    path = os.path.splitext(zip_path)[0] + ".mod"
    bb.note("Unpacking %s to %s/" % (os.path.basename(path), os.path.dirname(path)))
    with open(path, "wb") as stream:
        stream.write(text)


class GoModGit(Git):
    """Fetcher of Go modules from Git: `gomodgit://MODULE;version=..;repo=HOST/PATH;srcrev=..;subdir=..`."""

    schemes = ("gomodgit",)

    def urldata_init(self, ud, d):
        """Repository, revision and names in the module cache."""
        if "version" not in ud.parm:
            raise MissingParameterError("version", ud.url)
        version = ud.parm["version"]
        if "/" in version or version.startswith("-"):
            raise ParameterError("Invalid version: '%s'" % version, ud.url)
        module = ud.host if ud.path == "/" else ud.host + ud.path
        ud.parm["module"] = module
        # Where the repository is, if not where the module's name says.
        if "repo" in ud.parm:
            ud.host, slash, path = ud.parm["repo"].partition("/")
            ud.path = slash + path
        if "protocol" not in ud.parm:
            ud.parm["protocol"] = "https"
        ud.name = "%s@%s" % (module, version)
        srcrev = d.getVar("SRCREV_%s" % ud.name)
        if srcrev:
            ud.parm.setdefault("srcrev", srcrev)
        elif "srcrev" in ud.parm:
            d.setVar("SRCREV_%s" % ud.name, ud.parm["srcrev"])
        if "branch" not in ud.parm:
            ud.parm["nobranch"] = "1"
        if "subdir" in ud.parm:
            ud.parm["subpath"] = ud.parm.pop("subdir")
        repository = "%s://%s%s" % (ud.parm["protocol"], ud.host, ud.path)
        ud.parm["key"] = ("git3:%s" % repository).encode("utf-8")
        ud.parm["subdir"] = os.path.join(_cache(d), "cache", "vcs", hashlib.sha256(ud.parm["key"]).hexdigest())
        ud.parm["bareclone"] = "1"
        super().urldata_init(ud, d)

    def unpack(self, ud, destdir, d):
        """A bare clone in the module cache, and the module's zip and go.mod made from it. Raises UnpackError."""
        Git.unpack(self, ud, destdir, d)
        repository = os.path.join(destdir, ud.parm["subdir"])
        with open(repository + ".info", "wb") as stream:
            stream.write(ud.parm["key"])
        module, version = ud.parm["module"], ud.parm["version"]
        folder = os.path.join(destdir, _download_folder(d, module))
        bb.utils.mkdirhier(folder)
        target = os.path.join(folder, version + ".zip")
        bb.note("Unpacking %s to %s/" % (os.path.basename(target), folder))
        files = self._module_files(ud, d, repository)
        _write_zip(target, "%s@%s/" % (module, version), files)
        _write_mod(target, files.get("go.mod", b"module %s\n" % module.encode("utf-8")))

    def _module_files(self, ud, d, repository):
        """Name -> content of the files that belong to the module."""
        subpath = ud.parm.get("subpath", "").strip("/")
        with tempfile.TemporaryFile(dir=os.path.dirname(repository)) as stream:
            words = ["git", "-c", "safe.bareRepository=all", "archive", "--format=tar", ud.revision]
            process = subprocess.run(words, cwd=repository, stdout=stream, stderr=subprocess.PIPE, check=False)
            if process.returncode != 0:
                raise UnpackError("git archive failed: %s" % process.stderr.decode("utf-8", "replace"), ud.url)
            stream.seek(0)
            with tarfile.open(fileobj=stream) as archive:
                members = {member.name: member for member in archive if member.isreg()}
                chosen = _choose(members, subpath)
                return {name: archive.extractfile(members[source]).read() for name, source in chosen.items()}


def _choose(members, subpath):
    """Name in the zip -> name in the repository. Nested modules and vendored ones do not belong."""
    prefix = subpath + "/" if subpath else ""
    nested = {os.path.dirname(name) + "/" for name in members
              if os.path.basename(name) == "go.mod" and os.path.dirname(name) not in ("", subpath)}
    nested = {folder for folder in nested if folder.startswith(prefix) and folder != prefix}
    chosen = {}
    for name in members:
        if not name.startswith(prefix) or any(name.startswith(folder) for folder in nested):
            continue
        inner = name[len(prefix):]
        if inner.startswith("vendor/") or "/vendor/" in inner:
            continue
        chosen[inner] = name
    if prefix and "LICENSE" not in chosen and "LICENSE" in members:
        chosen["LICENSE"] = "LICENSE"
    return chosen


def _write_zip(target, prefix, files):
    """As Go writes it: sorted, without times, so that the same revision gives the same file."""
    temporary = target + ".tmp"
    with zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(prefix + name)
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, files[name])
    os.rename(temporary, target)
