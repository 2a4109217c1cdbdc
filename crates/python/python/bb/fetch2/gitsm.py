"""`gitsm://`: Git repositories with their submodules, each in a clone of its own."""

import contextlib
import logging
import os
import tempfile
import urllib.parse

import bb.utils

from . import command
from .errors import FetchError
from .git import Git

logger = logging.getLogger("BitBake.Fetcher")


class GitSM(Git):
    """Fetcher of Git repositories with submodules."""

    schemes = ("gitsm",)

    # What submodules there are

    def _submodules(self, ud, d, repository):
        """The submodules of the revision: (name, path, URL as SRC_URI has it, revision), in order."""
        try:
            listing = self.git(ud, d, ["config", "-z", "--blob", "%s:.gitmodules" % ud.revision, "--get-regexp",
                                       r"^submodule\..*\.(path|url)$"], repository)
        except FetchError:
            # No .gitmodules.
            return []
        modules = {}
        for entry in listing.split("\0"):
            key, sep, value = entry.partition("\n")
            if sep:
                name, _, what = key[len("submodule."):].rpartition(".")
                modules.setdefault(name, {})[what] = value
        found = []
        for name, module in modules.items():
            if "path" not in module or "url" not in module:
                continue
            revision = self._gitlink(ud, d, repository, module["path"])
            if revision is None:
                logger.debug("gitsm: Skipping uninitialized submodule: %s" % name)
                continue
            found.append((name, module["path"], self._source(ud, name, module["url"], revision), revision))
        return found

    def _gitlink(self, ud, d, repository, path):
        """The revision of the submodule at `path`, None if there is none."""
        listing = self.git(ud, d, ["ls-tree", "-z", ud.revision, "--", path], repository)
        fields = listing.split("\0")[0].split()
        return fields[2] if len(fields) > 2 and fields[0] == "160000" else None

    def _source(self, ud, name, url, revision):
        """The SRC_URI entry of a submodule."""
        proto, host, path = _split_url(ud, url)
        if proto == ud.proto and host == ud.host and path.rstrip("/") == ud.path.rstrip("/") \
                and revision == ud.revision:
            raise FetchError("Submodule refers to the parent repository. This will cause deadlock situation in "
                             "current version of Bitbake. Consider using git fetcher instead.", ud.url)
        label = "".join(char if char.isalnum() or char in "._-" else "_" for char in name)
        source = "gitsm://%s%s;protocol=%s;rev=%s;nobranch=1;bareclone=1;name=submodule_%s" \
            % (host, urllib.parse.quote(path), proto, revision, label)
        if "lfs" in ud.parm:
            source += ";lfs=%s" % ud.parm["lfs"]
        return source

    @contextlib.contextmanager
    def _repository(self, ud, d):
        """A folder with the revision: the clone, or the shallow tarball unpacked. None if there is neither."""
        if os.path.exists(ud.clonedir) and self.contains_revision(ud, d, ud.clonedir):
            yield ud.clonedir
        elif ud.shallow and os.path.exists(ud.fullshallow):
            with tempfile.TemporaryDirectory(dir=d.getVar("DL_DIR")) as temporary:
                command.runfetchcmd(["tar", "-xzf", ud.fullshallow], d, workdir=temporary)
                yield temporary
        else:
            yield None

    def _sub_fetches(self, ud, d, repository=None):
        """(name, path, Fetch of it, its URL, its datastore) for each submodule."""
        from .fetch import Fetch

        with contextlib.ExitStack() as stack:
            if repository is None:
                repository = stack.enter_context(self._repository(ud, d))
            modules = self._submodules(ud, d, repository) if repository else []
        for name, path, source, revision in modules:
            local = d.createCopy()
            local.setVar("SRC_URI", source)
            # The recipe's SRCREV is not the submodule's.
            label = source.rpartition(";name=")[2].partition(";")[0]
            local.setVar("SRCREV_%s" % label, revision)
            yield name, path, Fetch([source], local, cache=False), source, local

    def process_submodules(self, ud, workdir, function, d):
        """Calls `function(ud, url, name, path, workdir, d)` for each submodule."""
        for name, path, _, source, local in self._sub_fetches(ud, d, workdir):
            function(ud, source, name, path, workdir, local)

    def implicit_urldata(self, ud, d):
        """FetchData of the submodules."""
        found = []
        for _, _, fetch, _, _ in self._sub_fetches(ud, d):
            found.extend(fetch.expanded_urldata())
        return found

    # Fetching

    def need_update(self, ud, d):
        """Whether the repository or a submodule needs anything."""
        if Git.need_update(self, ud, d):
            return True
        for name, _, fetch, source, local in self._sub_fetches(ud, d):
            sub = fetch.ud[source]
            sub.setup_localpath(local)
            if sub.method.need_update(sub, local):
                logger.debug("gitsm: Submodules requiring update: %s" % name)
                return True
        return False

    def download(self, ud, d):
        """Fetches the repository, then its submodules."""
        Git.download(self, ud, d)
        for name, _, fetch, source, _ in self._sub_fetches(ud, d):
            try:
                fetch.download()
            except FetchError as error:
                logger.error("gitsm: submodule download failed: %s %s" % (name, error))
                raise

    # Unpacking

    def unpack(self, ud, destdir, d):
        """Checks out the repository and its submodules, from DL_DIR only."""
        from . import gitcheckout

        Git.unpack(self, ud, destdir, d)
        checkout = gitcheckout.destination(ud, destdir, d)
        gitdir = checkout if ud.bareclone else os.path.join(checkout, ".git")
        any_module = False
        for name, path, fetch, source, _ in self._sub_fetches(ud, d, checkout):
            any_module = True
            module = os.path.join(gitdir, "modules", name)
            self._unpack_module(ud, d, checkout, module, name, path, fetch, source)
        if any_module and not ud.bareclone and not ud.nocheckout:
            self.git(ud, d, ["-c", "protocol.file.allow=always", "submodule", "update", "--recursive", "--no-fetch"],
                     checkout, environment=() if ud.parm.get("lfs", "1") == "1" else ("GIT_LFS_SKIP_SMUDGE=1",))

    def _unpack_module(self, ud, d, checkout, module, name, path, fetch, source):
        sub = fetch.ud[source]
        bb.utils.mkdirhier(os.path.dirname(module))
        # A bare repository at the very place where git looks for a submodule's.
        sub.parm["subdir"] = module
        fetch.unpack(os.path.dirname(module))
        origin = sub.clonedir if os.path.exists(sub.clonedir) else module
        self.git(ud, d, ["config", "submodule.%s.url" % name, origin], checkout)
        # Git gives it a work tree.
        self.git(ud, d, ["config", "core.bare", "false"], module)


def _split_url(ud, url):
    """(protocol, host with user, path) of a submodule's URL, relative ones resolved."""
    if url.startswith(("./", "../")):
        path = os.path.normpath(os.path.join(ud.path, url))
        user = ud.user + "@" if ud.user else ""
        return ud.proto, user + ud.host, path
    if "://" in url:
        proto, _, rest = url.partition("://")
        proto = proto.rpartition("+")[2]
        host, slash, path = rest.partition("/")
        return proto, host, urllib.parse.unquote(slash + path)
    host, colon, path = url.partition(":")
    if colon and "/" not in host:
        # user@host:path, as ssh has it.
        return "ssh", host, path if path.startswith("/") else "/" + path
    return "file", "", url
