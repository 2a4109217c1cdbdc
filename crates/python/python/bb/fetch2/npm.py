"""`npm://`: packages of the npm registry; refused, as BitBake refuses them.

The helpers below serve classes that build with npm from what other fetchers brought.
"""

import os
import re
import shlex
import tempfile

import bb
import bb.parse
import bb.process
import bb.utils

from . import command
from .errors import FetchError
from .method import FetchMethod


class Npm(FetchMethod):
    """npm is disabled for security reasons (BitBake manual, "NPM Fetcher")."""

    schemes = ("npm",)

    def check_enabled(self):
        """Skips the recipe."""
        raise bb.parse.SkipRecipe("The %s fetcher has been disabled due to security issues and there is no "
                                  "maintainer to address them" % self.schemes[0])

    def urldata_init(self, ud, d):
        """Skips the recipe."""
        self.check_enabled()


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
