"""`npm://`: packages of an npm registry, by the npm tool; the file itself comes as any other.

Releases after 2.8 refuse it, as BitBake does there. The helpers below also serve
classes that build with npm from what other fetchers brought.
"""

import base64
import hashlib
import json
import os
import re
import shlex
import tempfile

import bb
import bb.parse
import bb.process
import bb.utils

from . import command
from .errors import FetchError, MalformedUrl, ParameterError
from .method import FetchMethod
from .url import URI

# The grammar of semver.org, version 2.0.0.
_SEMVER = re.compile(r"v?(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$")


class Standin(FetchMethod):
    """A fetcher whose URL stands for others, which are fetched in its place."""

    def check_enabled(self):
        """Skips the recipe: npm is disabled for security reasons (BitBake manual, "NPM Fetcher")."""
        # BitBake: 2.8 still has it.
        if not bb.__version__.startswith("2.8."):
            raise bb.parse.SkipRecipe("The %s fetcher has been disabled due to security issues and there is no "
                                      "maintainer to address them" % self.schemes[0])

    def fetch_of(self, ud, d):
        """The Fetch of the URLs that `ud` stands for. Raises FetchError where they cannot be told."""
        raise NotImplementedError

    def known(self, ud):
        """Whether it can be told without the network."""
        return True

    def _members(self, ud, d):
        fetch = self.fetch_of(ud, d)
        for url in fetch.urls:
            member = fetch.ud[url]
            member.setup_localpath(fetch.d)
            yield fetch, member

    def verify_donestamp(self, ud, d):
        """Whether all are complete and right."""
        return self.known(ud) and all(member.method.verify_donestamp(member, fetch.d)
                                      for fetch, member in self._members(ud, d))

    def update_donestamp(self, ud, d):
        """Verifies all and notes that they are right."""
        for fetch, member in self._members(ud, d):
            member.method.update_donestamp(member, fetch.d)

    def need_update(self, ud, d):
        """Whether any has to be fetched."""
        return not self.known(ud) or any(member.method.need_update(member, fetch.d)
                                         for fetch, member in self._members(ud, d))

    def try_mirrors(self, fetch, urldata, d, mirror_lines, check=False):
        """Whether mirrors have all."""
        from .prefetch import with_lock

        return all([with_lock(member, lambda own=own, member=member: member.method.try_mirrors(
            own, member, own.d, mirror_lines, check)) for own, member in self._members(urldata, d)])

    def download(self, urldata, d):
        """Fetches all."""
        self.fetch_of(urldata, d).download()

    def done(self, ud, d):
        """Whether all are there."""
        return self.known(ud) and all(member.method.done(member, fetch.d) for fetch, member in self._members(ud, d))

    def clean(self, urldata, d):
        """Removes all."""
        if self.known(urldata):
            self.fetch_of(urldata, d).clean()


class Npm(Standin):
    """Fetcher of packages: `npm://REGISTRY;package=NAME;version=VERSION`, `version=latest` for the newest."""

    schemes = ("npm",)

    def urldata_init(self, ud, d):
        """The registry, and names in DL_DIR."""
        self.check_enabled()
        if not ud.host:
            raise MalformedUrl(ud.url)
        ud.package = self.required_parameter(ud, "package")
        ud.version = self.required_parameter(ud, "version")
        self.refuse_options(ud, package=ud.package)
        if not is_semver(ud.version) and ud.version != "latest":
            raise ParameterError("Invalid 'version' parameter", ud.url)
        ud.registry = re.sub("^npm://", "https://", d.expand(ud.url).partition(";")[0])
        ud.localfile = npm_localfile(ud.parm.get("downloadfilename") or npm_filename(ud.package, ud.version))
        ud.resolvefile = os.path.join(d.getVar("DL_DIR"), ud.localfile + ".resolved")
        # Stamp and lock are those of the URL it stands for.
        ud.needdonestamp = False
        ud.proxy = None

    def known(self, ud):
        """Whether the registry was asked already."""
        return os.path.exists(ud.resolvefile)

    def fetch_of(self, ud, d):
        """The Fetch of the archive; the registry is asked once for where it is."""
        from .fetch import Fetch

        if not self.known(ud):
            ud.proxy = None
            resolve(ud.resolvefile, self._ask(ud, d))
        if ud.proxy is None:
            with open(ud.resolvefile, encoding="utf-8") as stream:
                ud.proxy = Fetch([stream.read()], d)
        return ud.proxy

    def _ask(self, ud, d):
        package = "%s@%s" % (ud.package, ud.version)
        command.check_network_access(d, "npm view %s" % package, ud.registry)
        answer = NpmEnvironment(d).run("npm view %s" % shlex.quote(package),
                                       args=[("json", "true"), ("registry", ud.registry)])
        try:
            dist = json.loads(answer)["dist"]
            integrity = dist.get("integrity") or "sha1-" + base64.b64encode(bytes.fromhex(dist["shasum"])).decode()
            return archive_url(dist["tarball"], ud.localfile, integrity)
        except (ValueError, KeyError, TypeError) as error:
            raise FetchError("npm told no archive of %s: %s" % (package, error), ud.url) from error

    def clean(self, urldata, d):
        """Removes the archive and where it was."""
        super().clean(urldata, d)
        urldata.proxy = None
        bb.utils.remove(urldata.resolvefile)

    def unpack(self, urldata, rootdir, data):
        """To `destsuffix`, `npm` without."""
        npm_unpack(urldata.localpath, folder_below(rootdir, urldata.parm.get("destsuffix") or "npm", urldata), data)


def archive_url(url, localfile, integrity):
    """The URL of an archive as SRC_URI has it, checked against npm's `integrity`. Raises ValueError."""
    if not url.startswith(("http://", "https://")) or re.search(r"[;\s]", url):
        raise ValueError("`%s` is no URL of an archive" % url)
    return "%s;downloadfilename=%s;%s=%s" % ((str(URI(url)), localfile) + npm_integrity(integrity))


def resolve(path, url):
    """Notes where an archive comes from."""
    bb.utils.mkdirhier(os.path.dirname(path))
    temporary = "%s.%d.tmp" % (path, os.getpid())
    with open(temporary, "w", encoding="utf-8") as stream:
        stream.write(url)
    os.rename(temporary, path)


def folder_below(root, name, ud):
    """The folder `name` of `root`. Raises ParameterError where it is none of its."""
    folder = os.path.normpath(os.path.join(root, name))
    if not (folder + "/").startswith(os.path.normpath(root) + "/"):
        # DIFFERS: BitBake writes there.
        raise ParameterError("'%s' leads outside the folder it is unpacked to" % name, ud.url)
    return folder


def is_semver(version):
    """Whether `version` is one version, as semver.org has them."""
    return bool(_SEMVER.match(version or ""))


def npm_integrity(integrity):
    """(URL parameter, hex digits) of the first checksum that a registry or a shrinkwrap gives. Raises ValueError."""
    kind, _, value = integrity.split()[0].partition("-")
    if kind not in ("sha1", "sha256", "sha384", "sha512"):
        raise ValueError("`%s` is no checksum that is known" % integrity)
    digest = base64.b64decode(value, validate=True)
    if len(digest) != hashlib.new(kind).digest_size:
        raise ValueError("`%s` is no complete checksum" % integrity)
    return kind + "sum", digest.hex()


def npm_package(package):
    """The name of a package as recipes and files may have it: small letters, no `@` and `/`."""
    name = re.sub("/", "-", package).lower()
    return re.sub(r"[^\-a-z0-9]", "", name).strip("-")


def npm_filename(package, version):
    """The name of a package's archive in DL_DIR."""
    return "%s-%s.tgz" % (npm_package(package), version)


def npm_localfile(package, version=None):
    """The archive's path below DL_DIR."""
    return os.path.join("npm2", npm_filename(package, version) if version is not None else package)


def npm_unpack(tarball, destdir, d):
    """Unpacks a package's archive: its one folder becomes `destdir`."""
    bb.utils.mkdirhier(destdir)
    command.runfetchcmd(["tar", "--extract", "--gzip", "--no-same-owner", "--strip-components=1",
                         "--file=%s" % tarball], d, workdir=destdir)
    command.runfetchcmd(["chmod", "-R", "+X", "."], d, workdir=destdir)


class NpmEnvironment:
    """Runs npm with a configuration of its own instead of the user's.

    `configs` are (name, value) pairs; `npmrc` is a file to begin with, the user's with
    BB_USE_HOME_NPMRC.
    """

    def __init__(self, d, configs=None, npmrc=None):
        self.d = d
        self.configs = list(configs or [])
        text = ""
        if npmrc is None and bb.utils.to_boolean(d.getVar("BB_USE_HOME_NPMRC") or "0"):
            npmrc = os.path.join(os.environ.get("HOME", ""), ".npmrc")
        if npmrc and os.path.exists(npmrc):
            with open(npmrc, encoding="utf-8") as stream:
                text = stream.read()
        self.user_config = tempfile.NamedTemporaryFile(mode="w", buffering=1, prefix="npmrc-")
        self.user_config.write(text)
        self.global_config = tempfile.NamedTemporaryFile(mode="w", buffering=1, prefix="npmrc-global-")

    def run(self, cmd, args=None, configs=None, workdir=None):
        """Runs an npm command line; what it printed. Raises FetchError."""
        words = shlex.split(cmd) + ["--%s=%s" % (name, value) for name, value in args or []]
        environment = ["env", "NPM_CONFIG_USERCONFIG=%s" % self.user_config.name,
                       "NPM_CONFIG_GLOBALCONFIG=%s" % self.global_config.name]
        for name, value in self.configs + list(configs or []):
            environment.append("NPM_CONFIG_%s=%s" % (name.upper().replace("-", "_"), value))
        if workdir:
            bb.utils.mkdirhier(workdir)
        try:
            return command.runfetchcmd(environment + words, self.d, workdir=workdir)
        except FetchError as error:
            raise FetchError("npm failed: %s" % error) from error
