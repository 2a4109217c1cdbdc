"""`npmsw://`: the packages that an npm shrinkwrap file pins, each fetched in its own way.

Releases after 2.8 refuse it, as BitBake does there.
"""

import json
import os
import re
import shutil

import bb
import bb.utils

from .errors import ParameterError, UnpackError
from .npm import Standin, archive_url, folder_below, is_semver, npm_localfile, npm_unpack, resolve

# Names of hosts in a shrinkwrap (npm's documentation, "package.json", Git URLs as dependencies).
_HOSTS = {"": "github.com", "github": "github.com", "gitlab": "gitlab.com", "bitbucket": "bitbucket.org",
          "gist": "gist.github.com"}
_GIT_URL = re.compile(r"git\+(?P<protocol>[a-z]+)://(?P<place>[^#]*)#(?P<revision>[0-9a-fA-F]+)$")
_SHORT = re.compile(r"(?:(?P<host>github|gitlab|bitbucket|gist):)?(?P<place>[\w.-]+(?:/[\w.-]+)?)"
                    r"#(?P<revision>[0-9a-fA-F]+)$")


class Dependency:
    """A package of a shrinkwrap: what is fetched for it (None: nothing), and how it is unpacked.

    `resolved` is what `npm://` looks for of an archive from the registry.
    """

    def __init__(self, destsuffix, url=None, archive=None, resolved=None, local=None):
        self.destsuffix = destsuffix
        self.url = url
        self.archive = archive
        self.resolved = resolved
        self.local = local


class NpmShrinkWrap(Standin):
    """Fetcher of what a shrinkwrap pins: `npmsw://FILE`, with `dev=1` also what is for development only."""

    schemes = ("npmsw",)

    def urldata_init(self, ud, d):
        """Reads the file. Raises ParameterError."""
        self.check_enabled()
        ud.shrinkwrap_file = re.sub("^npmsw://", "", d.expand(ud.url).partition(";")[0])
        ud.dev = bb.utils.to_boolean(ud.parm.get("dev"), False)
        ud.needdonestamp = False
        ud.deps = []
        ud.proxy = None

        def add(name, properties, destsuffix):
            try:
                ud.deps.append(_dependency(name, properties, destsuffix))
            except (ValueError, TypeError, AttributeError) as error:
                raise ParameterError("Unsupported dependency: %s (%s)" % (name, error), ud.url) from error

        try:
            with open(ud.shrinkwrap_file, encoding="utf-8") as stream:
                shrinkwrap = json.load(stream)
            foreach_dependencies(shrinkwrap, add, ud.dev)
        except (OSError, ValueError, AttributeError) as error:
            raise ParameterError("Invalid shrinkwrap file: %s" % error, ud.url) from error

    def localpath(self, urldata, d):
        """The shrinkwrap itself."""
        return urldata.shrinkwrap_file

    def fetch_of(self, ud, d):
        """The Fetch of all packages. The checksums and the revision of the recipe are not theirs."""
        from .fetch import Fetch

        if ud.proxy is None:
            local = d.createCopy()
            for name in ("SRC_URI", "SRCREV"):
                local.delVar(name)
            ud.proxy = Fetch([dep.url for dep in ud.deps if dep.url], local)
        return ud.proxy

    def implicit_urldata(self, ud, d):
        """FetchData of all packages."""
        return [member for _, member in self._members(ud, d)]

    def update_donestamp(self, ud, d):
        """As for `npm://`, which so finds the archives too."""
        super().update_donestamp(ud, d)
        for dep in ud.deps:
            if dep.resolved:
                resolve(os.path.join(d.getVar("DL_DIR"), dep.resolved), dep.url)

    def clean(self, urldata, d):
        """Removes all packages."""
        super().clean(urldata, d)
        for dep in urldata.deps:
            if dep.resolved:
                bb.utils.remove(os.path.join(d.getVar("DL_DIR"), dep.resolved))

    def unpack(self, urldata, rootdir, data):
        """To `destsuffix`, to S without: the packages in node_modules, the shrinkwrap beside it."""
        suffix = urldata.parm.get("destsuffix")
        destdir = folder_below(rootdir, suffix, urldata) if suffix else data.getVar("S") or rootdir
        bb.utils.mkdirhier(destdir)
        for dep in urldata.deps:
            target = folder_below(destdir, dep.destsuffix, urldata)
            if dep.archive:
                npm_unpack(os.path.join(data.getVar("DL_DIR"), dep.archive), target, data)
            elif dep.local is not None:
                _copy(folder_below(destdir, dep.local, urldata), target, urldata)
            elif dep.url:
                self.fetch_of(urldata, data).unpack(destdir, [dep.url])
        shutil.copyfile(urldata.shrinkwrap_file, os.path.join(destdir, "npm-shrinkwrap.json"))


def _copy(source, target, ud):
    try:
        shutil.copytree(source, target, symlinks=True, dirs_exist_ok=True)
    except (OSError, shutil.Error) as error:
        raise UnpackError("the local package %s cannot be copied: %s" % (source, error), ud.url) from error


def _dependency(name, properties, destsuffix):
    """How a package is had. Raises ValueError where that cannot be told."""
    version, resolved, integrity = (properties.get(key) or "" for key in ("version", "resolved", "integrity"))
    if is_semver(version) and integrity:
        if not resolved:
            bb.warn("%s: the shrinkwrap does not say where version %s is from; it is not fetched" % (name, version))
            return Dependency(destsuffix)
        file = npm_localfile(name, version)
        return Dependency(destsuffix, archive_url(resolved, file, integrity), file, file + ".resolved")
    if version.startswith(("http://", "https://")) and integrity:
        file = npm_localfile(os.path.basename(version))
        return Dependency(destsuffix, archive_url(version, file, integrity), file)
    if version.startswith("file:"):
        return Dependency(destsuffix, local=version[len("file:"):])
    full, short = _GIT_URL.match(version), _SHORT.match(version)
    if full:
        protocol, place, revision = full.group("protocol", "place", "revision")
    elif short:
        protocol, place = "https", _HOSTS[short.group("host") or ""] + "/" + short.group("place")
        revision = short.group("revision")
    else:
        raise ValueError("neither an archive with its checksum nor a repository with its revision")
    if ";" in place:
        raise ValueError("`%s` has parameters" % version)
    # BitBake: looks for the revision on `master`; DIFFERS: any branch will do.
    return Dependency(destsuffix, "git://%s;protocol=%s;nobranch=1;rev=%s;destsuffix=%s"
                      % (place, protocol, revision, destsuffix))


def foreach_dependencies(shrinkwrap, callback=None, dev=False):
    """Calls `callback(name, properties, path)` for each package of a shrinkwrap.

    Packages are those of `packages` or, in the first format, of nested `dependencies`.
    Bundled ones are left out, with `dev` unset those for development too.
    """
    # BitBake: 2.8 leaves none out that the second format calls bundled, and reads the first format too.
    old = bb.__version__.startswith("2.8.")
    packages = shrinkwrap.get("packages")
    if packages is None and old:
        _walk(shrinkwrap, "", callback, dev)
        return
    for path, properties in (packages or {}).items():
        name = path.split("node_modules/")[-1]
        wanted = path and (old or not properties.get("inBundle", False)) and (dev or not properties.get("dev", False))
        if wanted and callback:
            callback(name, properties, path)


def _walk(shrinkwrap, above, callback, dev):
    for name, properties in (shrinkwrap.get("dependencies") or {}).items():
        path = os.path.join(above, "node_modules", name)
        _walk(properties, path, callback, dev)
        if (dev or not properties.get("dev", False)) and not properties.get("bundled", False) and callback:
            callback(name, properties, path)
