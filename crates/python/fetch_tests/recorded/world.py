"""What the cases fetch: archives, files and repositories, the same bytes and revisions on every machine.

`python3 -m fetch_tests.recorded.world FOLDER` makes them and serves them over HTTP until its
standard input ends; it prints the port.
"""

import base64
import bz2
import gzip
import http.server
import io
import json
import lzma
import os
import shutil
import subprocess
import sys
import tarfile
import threading
import zipfile

from fetch_tests.gitserver import GitBackend

# Of all files and commits: 12 March 2020.
TIME = 1584000000
TEXTS = {"a/top.txt": b"top\n", "a/b/mid.txt": b"mid\n", "a/b/c/deep.txt": b"deep\n"}
# Tool -> what it packs, for formats Python does not write.
_PACKERS = {"zst": ("zstd", "-q", "-c"), "lz": ("lzip", "-c"), "Z": ("compress", "-c")}


class World:
    """The folder `root`: `www` (served), `files` (FILESPATH), `git`, `svn`, `hg`; `values` are names for cases."""

    def __init__(self, root):
        self.root = root
        self.values = {}
        self.environment = dict(
            os.environ, HOME=root, GIT_CONFIG_NOSYSTEM="1", GIT_CONFIG_GLOBAL=os.path.join(root, "gitconfig"),
            GIT_AUTHOR_DATE="%d +0000" % TIME, GIT_COMMITTER_DATE="%d +0000" % TIME, TZ="UTC", LC_ALL="C.UTF-8")

    def make(self):
        """Makes everything. What needs a tool that is not installed is left out."""
        self.write("gitconfig", b"[user]\nname = n\nemail = e@example.org\n[init]\ndefaultBranch = main\n"
                                b"[protocol \"file\"]\nallow = always\n")
        self._archives()
        self._local_files()
        self._git()
        if shutil.which("svn"):
            self._subversion()
        if shutil.which("hg"):
            self._mercurial()
        with open(os.path.join(self.root, "values.json"), "w", encoding="ascii") as stream:
            json.dump(self.values, stream, indent=0, sort_keys=True)

    def write(self, name, data, mode=0o644):
        """A file below the root, with the time all have: a version of another size, or it counts as unchanged."""
        path = os.path.join(self.root, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as stream:
            stream.write(data)
        os.chmod(path, mode)
        os.utime(path, (TIME, TIME))
        return path

    def run(self, *words, cwd=None, stdin=None):
        """A tool's output; raises if it fails."""
        return subprocess.run(words, cwd=cwd or self.root, env=self.environment, input=stdin, check=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE).stdout

    # Archives and files

    def _archives(self):
        tar = _tar((name, data, tarfile.REGTYPE, 0o644) for name, data in TEXTS.items())
        packed = {"": tar, ".gz": gzip.compress(tar, mtime=0), ".bz2": bz2.compress(tar), ".xz": lzma.compress(tar)}
        for suffix, (tool, *options) in _PACKERS.items():
            if shutil.which(tool):
                packed["." + suffix] = self.run(tool, *options, stdin=tar)
        for suffix, data in packed.items():
            self.write("www/a.tar" + suffix, data)
        for short, long in ((".tgz", ".gz"), (".tbz", ".bz2"), (".tbz2", ".bz2"), (".txz", ".xz"), (".tzst", ".zst")):
            if long in packed:
                self.write("www/a" + short, packed[long])
        for suffix, pack in ((".gz", lambda data: gzip.compress(data, mtime=0)), (".bz2", bz2.compress),
                             (".xz", lzma.compress)):
            self.write("www/single.txt" + suffix, pack(b"single\n"))
        for suffix, (tool, *options) in _PACKERS.items():
            if shutil.which(tool):
                self.write("www/single.txt." + suffix, self.run(tool, *options, stdin=b"single\n" * 50))
        for name in ("a.zip", "a.jar", "odd name.zip"):
            self.write("www/" + name, _zip({**TEXTS, "a/dos.txt": b"one\r\ntwo\r\n"}))
        self._packages(packed)
        self.write("www/plain.txt", b"plain\n")
        self.write("www/other/plain.txt", b"another plain\n")
        self.write("www/script.sh", b"#!/bin/sh\n", 0o755)
        self.write("www/broken.tar.gz", b"no archive\n")
        self.write("www/empty", b"")
        self.write("www/modes.tar", _tar([("m/run", b"x", tarfile.REGTYPE, 0o755), ("m/ro", b"y", tarfile.REGTYPE, 0o444),
                                          ("m/link", b"run", tarfile.SYMTYPE, 0o777)]))
        self.write("www/crates/foo-1.0.0.crate", gzip.compress(_tar(
            [("foo-1.0.0/Cargo.toml", b"[package]\nname = \"foo\"\n", tarfile.REGTYPE, 0o644)]), mtime=0))
        module = {"example.org/Mod@v1.2.0/go.mod": b"module example.org/Mod\n", "example.org/Mod@v1.2.0/a.go": b"package a\n"}
        self.write("www/goproxy/example.org.Mod@v1.2.0.zip", _zip(module))
        self.write("www/goproxy/example.org.Mod@v1.2.0.mod", b"module example.org/Mod\n")

    def _packages(self, packed):
        for name, member in (("a.deb", "data.tar.gz"), ("a.ipk", "data.tar.xz")):
            self.write("www/" + name, _ar({"debian-binary": b"2.0\n", "control.tar.gz": packed[".gz"],
                                           member: packed["." + member.rpartition(".")[2]]}))
        self.write("www/nodata.deb", _ar({"debian-binary": b"2.0\n"}))
        if shutil.which("7za"):
            folder = os.path.join(self.root, "pack")
            for name, data in TEXTS.items():
                self.write("pack/" + name, data)
            self.run("7za", "a", "-bd", "-mtc=off", os.path.join(self.root, "www", "a.7z"), "a", cwd=folder)

    def _local_files(self):
        for name, data in (("x/one.txt", b"one\n"), ("y/one.txt", b"hidden\n"), ("y/two.txt", b"two\n"),
                           ("y/fix.patch", b"--- a\n+++ b\n"), ("y/tree/in/side.txt", b"side\n"), ("y/tree/top", b"t\n"),
                           ("y/sp ace.txt", b"space\n"), ("y/at@me", b"at\n")):
            self.write("files/" + name, data)
        self.write("files/y/run.sh", b"#!/bin/sh\n", 0o755)
        shutil.copy(os.path.join(self.root, "www/a.tar.gz"), os.path.join(self.root, "files/y/local.tar.gz"))
        os.symlink("two.txt", os.path.join(self.root, "files/y/link"))
        os.symlink("tree", os.path.join(self.root, "files/y/treelink"))
        os.symlink("nowhere", os.path.join(self.root, "files/y/tree/dead"))

    # Repositories

    def _commit(self, folder, files, message):
        for name, data in files.items():
            self.write(os.path.join(folder, name), data)
        folder = os.path.join(self.root, folder)
        self.run("git", "add", "-A", cwd=folder)
        self.run("git", "commit", "-qm", message, cwd=folder)
        return self.run("git", "rev-parse", "HEAD", cwd=folder).decode().strip()

    def _bare(self, work, name):
        target = os.path.join(self.root, "git", name)
        self.run("git", "clone", "-q", "--bare", os.path.join(self.root, work), target)
        self.run("git", "config", "uploadpack.allowReachableSHA1InWant", "true", cwd=target)

    def _git(self):
        git = lambda *words, cwd="work": self.run("git", *words, cwd=os.path.join(self.root, cwd))
        values = self.values
        self.run("git", "init", "-q", "work")
        values["first"] = self._commit("work", {"README": b"one\n", "dir/sub/file": b"x\n", "dir/f2": b"y\n"}, "first")
        git("tag", "v1")
        values["second"] = self._commit("work", {"README": b"second\n"}, "second")
        git("tag", "-a", "-m", "t", "v2")
        values["tagobject"] = git("rev-parse", "v2").decode().strip()
        git("checkout", "-q", "-b", "side/branch", "v1")
        values["side"] = self._commit("work", {"side": b"s\n"}, "side")
        git("checkout", "-q", "--orphan", "lost")
        values["lost"] = self._commit("work", {"lost": b"l\n"}, "lost")
        git("update-ref", "refs/keep/lost", "HEAD")
        git("checkout", "-q", "main")
        git("branch", "-q", "-D", "lost")
        self._bare("work", "repo.git")
        # A plain clone does not take it along.
        self.run("git", "fetch", "-q", "../../work", "refs/keep/lost:refs/keep/lost",
                 cwd=os.path.join(self.root, "git", "repo.git"))
        self.run("git", "init", "-q", "sub")
        values["sub"] = self._commit("sub", {"sub.txt": b"sub\n"}, "sub")
        self._bare("sub", "sub.git")
        self.run("git", "init", "-q", "super")
        git("submodule", "--quiet", "add", "--name", "inner", "../git/sub.git", "mods/inner", cwd="super")
        # As a layer's upstream has it: beside the repository itself.
        git("config", "-f", ".gitmodules", "submodule.inner.url", "../sub.git", cwd="super")
        values["super"] = self._commit("super", {"super.txt": b"super\n"}, "super")
        self._bare("super", "super.git")

    def _subversion(self):
        self.run("svnadmin", "create", "svn")
        trunk = "file://%s/svn" % self.root
        self.write("svnimport/trunk/README", b"one\n")
        self.write("svnimport/trunk/sub/file", b"x\n")
        self.run("svn", "import", "-q", "-m", "x", "svnimport", trunk)
        self.run("svn", "co", "-q", trunk + "/trunk", "svnwork")
        self.write("svnwork/README", b"second\n")
        self.run("svn", "commit", "-q", "-m", "y", "svnwork")

    def _mercurial(self):
        self.run("hg", "init", "hg/proj")
        folder = os.path.join(self.root, "hg/proj")
        for name, text in (("hgone", b"one\n"), ("hgtwo", b"second\n")):
            self.write("hg/proj/README", text)
            self.run("hg", "commit", "-q", "-A", "-m", "x", "-u", "me", "-d", "%d 0" % TIME, cwd=folder)
            self.values[name] = self.run("hg", "log", "-r", ".", "-T", "{node}", cwd=folder).decode()


def _tar(entries):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for name, data, kind, mode in entries:
            entry = tarfile.TarInfo(name)
            entry.type, entry.mode, entry.mtime = kind, mode, TIME
            if kind == tarfile.SYMTYPE:
                entry.linkname = data.decode()
            else:
                entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data if kind == tarfile.REGTYPE else b""))
    return stream.getvalue()


def _zip(files):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        for name, data in files.items():
            entry = zipfile.ZipInfo(name, (2020, 3, 12, 8, 0, 0))
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, data)
    return stream.getvalue()


def _ar(members):
    out = b"!<arch>\n"
    for name, data in members.items():
        out += b"%-16s%-12d%-6d%-6d%-8s%-10d`\n" % (name.encode(), TIME, 0, 0, b"100644", len(data))
        out += data + b"\n" * (len(data) % 2)
    return out


class _Handler(GitBackend):
    """`/git/` is git's own server; `/private/` wants the login me:secret, `/moved/` leads to the file, the rest is `www`."""

    def _answer(self):
        path = self.path.partition("?")[0]
        if path.startswith("/git/"):
            self.path = self.path[len("/git"):]
            return super()._answer()
        area = path.split("/")[1]
        if area == "private" and self.headers.get("Authorization") != "Basic " + base64.b64encode(b"me:secret").decode():
            return self._send(401, [("WWW-Authenticate", 'Basic realm="x"')])
        if area == "moved":
            return self._send(302, [("Location", path[len("/moved"):])])
        if area == "private":
            path = path[len("/private"):]
        return self._file(path)

    do_GET = do_HEAD = do_POST = _answer

    def _file(self, path):
        from urllib.parse import unquote
        path = os.path.join(self.server.www, unquote(path).lstrip("/"))
        if not os.path.isfile(path):
            return self._send(404, [])
        with open(path, "rb") as stream:
            return self._send(200, [("Content-Type", "application/octet-stream")], stream.read())

    def _send(self, status, headers, body=b""):
        self.send_response(status)
        for name, value in [*headers, ("Content-Length", str(len(body)))]:
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def main(root):
    """Makes the world and serves it until standard input ends."""
    world = World(root)
    world.make()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.www = os.path.join(root, "www")
    server.root = os.path.join(root, "git")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_port, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main(os.path.realpath(sys.argv[1]))
