"""Asks the cases of whichever `bb` is imported: the outcome, what is in DL_DIR, what was unpacked.

`python3 -m fetch_tests.recorded.answers OUT.json [NAME...]` with BitBake's or bitzel's `bb` on
PYTHONPATH; the answers hold no ports, folders or packed bytes, so they can be compared anywhere.
"""

import hashlib
import json
import os
import pickle
import shutil
import stat
import subprocess
import sys
import tempfile
import traceback

from fetch_tests.recorded import cases as questions
from fetch_tests.recorded.world import TIME

# Files of a repository that say where it comes from and what it has.
_GIT_COMMANDS = (("head", ("rev-parse", "--symbolic-full-name", "HEAD")), ("revision", ("rev-parse", "HEAD")),
                 ("refs", ("for-each-ref", "--format=%(refname) %(objectname)")),
                 ("remotes", ("config", "--get-regexp", r"^(remote|branch|submodule)\.")),
                 ("status", ("status", "--porcelain")))


class Asker:
    """Answers cases against a world that is being served."""

    def __init__(self, root, port):
        self.root = root
        self.host = "127.0.0.1:%d" % port
        with open(os.path.join(root, "values.json"), encoding="ascii") as stream:
            self.revisions = json.load(stream)
        self.labels = {}
        for folder, _, names in os.walk(os.path.join(root, "www")):
            for name in names:
                path = os.path.join(folder, name)
                self.labels.setdefault(_digest(path), "www/" + os.path.relpath(path, os.path.join(root, "www")))

    def checksum(self, kind, name):
        """A checksum of a served file; of one that is not served, zeros."""
        path = os.path.join(self.root, "www", name)
        if not os.path.exists(path):
            return "0" * 64
        return _digest(path, kind)

    def answer(self, case):
        """What comes of a case, in a process of its own: nothing is remembered from one to the next."""
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reader)
            with os.fdopen(writer, "w") as stream:
                try:
                    json.dump(self._answer(case), stream)
                except BaseException:
                    traceback.print_exc()
            os._exit(0)
        os.close(writer)
        with os.fdopen(reader) as stream:
            text = stream.read()
        os.waitpid(child, 0)
        return json.loads(text)

    def _answer(self, case):
        base = tempfile.mkdtemp(prefix="bitzel-case-")
        try:
            self.base = base
            for name in ("dl", "out", "again"):
                os.mkdir(os.path.join(base, name))
            os.chdir(base)
            for name, data in case.dl.items():
                with open(os.path.join(base, "dl", name), "wb") as stream:
                    stream.write(data)
            result = {"outcome": self._fetch(case, "out", {}), "tree": self._tree("out")}
            if case.again is not None:
                result["again"] = {"outcome": self._fetch(case, "again", case.again), "tree": self._tree("again")}
            result["dl"] = self._tree("dl")
            return result
        finally:
            subprocess.run(["chmod", "-R", "u+rwX", base], check=False)
            shutil.rmtree(base, ignore_errors=True)

    def _datastore(self, case, more):
        import bb
        import bb.data

        fill = lambda text: questions.fill(text, self.root, self.host, self.revisions, self.checksum)
        d = bb.data.init()
        values = {"DL_DIR": os.path.join(self.base, "dl"), "PERSISTENT_DIR": os.path.join(self.base, "persist"),
                  "FILESPATH": "%s/files/x:%s/files/y" % (self.root, self.root), "PN": "pn", "PATH": os.environ["PATH"],
                  "HOME": self.root, "GIT_CONFIG_GLOBAL": os.path.join(self.root, "gitconfig"), "BP": "pn-1",
                  "FETCHCMD_wget": "/usr/bin/env wget --tries=1 --timeout=20"}
        values.update(case.variables)
        values.update(more)
        for name, value in values.items():
            d.setVar(name, fill(value) if isinstance(value, str) else value)
        d.setVar("SRC_URI", fill(case.urls))
        for flag, value in case.flags.items():
            d.setVarFlag("SRC_URI", flag, fill(value))
        return d

    def _fetch(self, case, folder, more):
        """`ok`, or the class of what was raised and the step it came from."""
        import bb.fetch2

        d = self._datastore(case, more)
        step = "url"
        try:
            fetcher = bb.fetch2.Fetch(d.getVar("SRC_URI").split(), d)
            step = "download"
            fetcher.download()
            step = "unpack"
            fetcher.unpack(os.path.join(self.base, folder))
        except Exception as error:
            return "%s: %s" % (step, type(error).__name__)
        return "ok"

    # What lies where

    def _tree(self, folder):
        """Lines `path kind mode content`, sorted; repositories as what git says of them."""
        top = os.path.join(self.base, folder)
        lines = []
        for current, folders, names in os.walk(top):
            # DIFFERS: bitzel puts wrong downloads aside and keeps no empty parts.
            names = [name for name in names if not name.endswith(".tmp") and "_bad-checksum_" not in name]
            for name in sorted(folders):
                path = os.path.join(current, name)
                if (self.root + "/").startswith(path[len(top):] + "/"):
                    # The way to the world, for files given by their whole path.
                    continue
                if os.path.islink(path):
                    names.append(name)
                elif name in (".hg", ".svn"):
                    folders.remove(name)
                    lines.append("%s/" % self._shown(os.path.relpath(path, top)))
                elif os.path.exists(os.path.join(path, "HEAD")) and os.path.isdir(os.path.join(path, "objects")):
                    folders.remove(name)
                    lines += self._repository(path, top)
                else:
                    lines.append("%s/ %o" % (self._shown(os.path.relpath(path, top)), _mode(path)))
            for name in names:
                lines.append(self._file(os.path.join(current, name), top))
        return sorted(lines)

    def _file(self, path, top):
        shown = self._shown(os.path.relpath(path, top))
        if os.path.islink(path):
            return "%s -> %s" % (shown, self._shown(os.readlink(path)))
        if shown.endswith(".done"):
            return "%s %s" % (shown, self._stamp(path))
        if shown.endswith((".tar.gz",)) and os.path.dirname(path) == os.path.join(self.base, "dl") \
                and _digest(path) not in self.labels:
            return "%s %s" % (shown, self._packed(path))
        if os.path.basename(path) == ".git":
            return "%s file" % shown
        info = os.stat(path)
        when = " old" if info.st_mtime == TIME else ""
        return "%s %o%s %s" % (shown, stat.S_IMODE(info.st_mode), when, self._content(path))

    def _content(self, path):
        label = self.labels.get(_digest(path))
        if label:
            return "= " + label
        with open(path, "rb") as stream:
            data = stream.read()
        if path.endswith(".zip"):
            return "a zip"
        try:
            return json.dumps(self._shown(data.decode("utf-8")))
        except UnicodeDecodeError:
            return _digest(path)

    def _stamp(self, path):
        """Which checksums a stamp has, and whether they are the file's."""
        if os.path.getsize(path) == 0:
            return "empty"
        try:
            with open(path, "rb") as stream:
                stamp = pickle.load(stream)
        except Exception:
            return "rubbish"
        wrong = [kind for kind, value in stamp.items() if kind != "goh1" and value != _digest(path[:-5], kind)]
        return " ".join(stamp) + (" wrong: %s" % wrong if wrong else "")

    def _packed(self, path):
        """A tarball made by the fetcher: the repository in it, or its files."""
        with tempfile.TemporaryDirectory(dir=self.base) as folder:
            subprocess.run(["tar", "-xzf", path], cwd=folder, check=True)
            found = [folder] if os.path.exists(os.path.join(folder, "HEAD")) else \
                [os.path.join(folder, ".git")] if os.path.isdir(os.path.join(folder, ".git")) else []
            if found:
                return " | ".join(self._repository(found[0], folder))
            names = sorted(os.path.relpath(os.path.join(current, name), folder)
                           for current, _, names in os.walk(folder) for name in names
                           if "/.hg/" not in current + "/" and "/.svn/" not in current + "/")
            return "holds " + " ".join(names)

    def _repository(self, path, top):
        shown = self._shown(os.path.relpath(path, top))
        lines = ["%s/ repository" % shown]
        environment = dict(os.environ, GIT_CONFIG_GLOBAL=os.path.join(self.root, "gitconfig"), GIT_CONFIG_NOSYSTEM="1",
                           GIT_CONFIG_COUNT="1", GIT_CONFIG_KEY_0="safe.directory", GIT_CONFIG_VALUE_0="*")
        for what, words in _GIT_COMMANDS:
            cwd = path
            if what == "status":
                if os.path.basename(path) != ".git":
                    continue
                cwd = os.path.dirname(path)
            output = subprocess.run(["git", *words], cwd=cwd, env=environment, stdout=subprocess.PIPE,
                                    stderr=subprocess.DEVNULL, check=False).stdout.decode()
            for line in sorted(output.splitlines()):
                lines.append("%s/ %s: %s" % (shown, what, self._shown(line)))
        for name in ("shallow", "objects/info/alternates"):
            if os.path.exists(os.path.join(path, name)):
                with open(os.path.join(path, name)) as stream:
                    lines.append("%s/ %s: %s" % (shown, name, self._shown(" ".join(sorted(stream.read().split())))))
        return lines

    def _shown(self, text):
        for real, name in ((self.base, "@B"), (self.root, "@R"), (self.host, "@H")):
            # As it is, relative, and as names in DL_DIR have it.
            for form in (real, real.lstrip("/"), real.replace("/", ".").replace(":", "."),
                         real.replace("/", ".").lstrip(".")):
                text = text.replace(form, name)
        return text


def _mode(path):
    return stat.S_IMODE(os.lstat(path).st_mode)


def _digest(path, kind="sha256"):
    digest = hashlib.new(kind)
    with open(path, "rb") as stream:
        digest.update(stream.read())
    return digest.hexdigest()


def ask(names=(), log=None):
    """All answers by name, and the cases left out for want of a tool."""
    os.umask(0o022)
    root = os.path.realpath(tempfile.mkdtemp(prefix="bitzel-world-"))
    folder = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    server = subprocess.Popen([sys.executable, "-m", "fetch_tests.recorded.world", root], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, cwd=folder)
    try:
        asker = Asker(root, int(server.stdout.readline()))
        answers, left_out = {}, {}
        for case in questions.all_cases():
            missing = [tool for tool in case.needs if not shutil.which(tool)]
            if names and case.name not in names:
                continue
            if missing:
                left_out[case.name] = missing
                continue
            answers[case.name] = asker.answer(case)
            if log:
                log("%s: %s" % (case.name, answers[case.name]["outcome"]))
        return answers, left_out
    finally:
        server.stdin.close()
        server.stdout.close()
        server.wait()
        shutil.rmtree(root, ignore_errors=True)


if __name__ == "__main__":
    answers, left_out = ask(sys.argv[2:], print)
    with open(sys.argv[1], "w", encoding="ascii") as stream:
        json.dump(answers, stream, indent=0, sort_keys=True)
        stream.write("\n")
    print("%d answers, left out for want of tools: %s" % (len(answers), left_out or "none"))
