"""A datastore, folders and repositories for tests of the fetcher."""

import hashlib
import logging
import os
import re
import shutil
import subprocess
import tempfile
import unittest
import unittest.mock


class Datastore:
    """Variables, flags and plain `${NAME}` expansion: all the fetcher asks of `d`."""

    def __init__(self, **values):
        self.values = dict(values)
        self.flags = {}

    def getVar(self, name, expand=True, *rest):
        value = self.values.get(name)
        return self.expand(value) if expand and isinstance(value, str) else value

    def setVar(self, name, value, **rest):
        self.values[name] = value

    def delVar(self, name, **rest):
        self.values.pop(name, None)
        for flag in [flag for flag in self.flags if flag[0] == name]:
            del self.flags[flag]

    def getVarFlag(self, name, flag, expand=True, *rest):
        return self.flags.get((name, flag))

    def setVarFlag(self, name, flag, value, **rest):
        self.flags[name, flag] = value

    def expand(self, text, *rest):
        return re.sub(r"\$\{([A-Za-z0-9_]+)\}", lambda match: self.getVar(match.group(1)) or match.group(0), text)

    def createCopy(self):
        copy = Datastore(**self.values)
        copy.flags = dict(self.flags)
        return copy


def have_engine():
    """Whether the extension module with the downloader is there."""
    import _bitzel
    return hasattr(_bitzel, "fetch_files")


def needs(*tools):
    """Skips a test, saying which tool it would need."""
    missing = [tool for tool in tools if not shutil.which(tool, path=os.environ.get("PATH", "") + ":/usr/sbin")]
    return unittest.skipIf(missing, "not installed: %s" % " ".join(missing))


def sha256(data):
    return hashlib.sha256(data).hexdigest()


class FetchTest(unittest.TestCase):
    """Each test has folders of its own: `dir`, `dl` (DL_DIR), `files` (FILESPATH), `out`."""

    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="bitzel-fetch-test-")
        self.addCleanup(shutil.rmtree, self.dir, ignore_errors=True)
        self.dl, self.files, self.out = (os.path.join(self.dir, name) for name in ("dl", "files", "out"))
        for folder in (self.dl, self.files, self.out):
            os.mkdir(folder)
        self.d = Datastore(DL_DIR=self.dl, FILESPATH=self.files, PN="pn", PATH=os.environ["PATH"],
                           PERSISTENT_DIR=os.path.join(self.dir, "persist"), HOME=self.dir)
        logging.disable(logging.CRITICAL)
        self.addCleanup(logging.disable, logging.NOTSET)
        patch = unittest.mock.patch.dict(os.environ, {
            "GIT_CONFIG_GLOBAL": os.path.join(self.dir, "gitconfig"), "GIT_CONFIG_NOSYSTEM": "1", "HOME": self.dir})
        patch.start()
        self.addCleanup(patch.stop)
        with open(os.path.join(self.dir, "gitconfig"), "w") as stream:
            stream.write("[user]\nname = n\nemail = e@example.org\n[init]\ndefaultBranch = master\n"
                         "[protocol \"file\"]\nallow = always\n")
        self.d.setVar("GIT_CONFIG_GLOBAL", os.path.join(self.dir, "gitconfig"))

    def write(self, name, data=b"content\n", folder=None):
        path = os.path.join(folder or self.files, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as stream:
            stream.write(data if isinstance(data, bytes) else data.encode())
        return path

    def run_tool(self, *words, cwd=None):
        return subprocess.run(words, cwd=cwd or self.dir, check=True, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL).stdout.decode().strip()

    def fetcher(self, *urls):
        import bb.fetch2
        self.d.setVar("SRC_URI", " ".join(urls))
        return bb.fetch2.Fetch(list(urls), self.d)

    def fetch(self, *urls):
        fetcher = self.fetcher(*urls)
        fetcher.download()
        fetcher.unpack(self.out)
        return fetcher

    def tree(self, folder=None):
        """Files below `folder`, repositories' own left out."""
        found = []
        folder = folder or self.out
        for root, folders, files in os.walk(folder):
            folders[:] = [name for name in folders if name != ".git"]
            found += [os.path.relpath(os.path.join(root, name), folder) for name in files if name != ".git"]
        return sorted(found)

    def repository(self, name="repo", **files):
        """A Git repository with one commit; its folder and revision."""
        folder = os.path.join(self.dir, name)
        self.run_tool("git", "init", "-q", folder)
        return folder, self.commit(folder, **(files or {"a": "a"}))

    def commit(self, folder, **files):
        for name, text in files.items():
            self.write(name, text, folder)
        self.run_tool("git", "add", "-A", cwd=folder)
        self.run_tool("git", "commit", "-qm", "x", cwd=folder)
        return self.run_tool("git", "rev-parse", "HEAD", cwd=folder)
