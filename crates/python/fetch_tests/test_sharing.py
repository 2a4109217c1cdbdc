"""One DL_DIR for many: processes at the same time, BitBake among them, and processes killed at any moment."""

import os
import pickle
import random
import signal
import subprocess
import sys
import time
import unittest

import bb
import bb.fetch2

from fetch_tests.support import Datastore, FetchTest, have_engine, sha256
from fetch_tests.webserver import WebServer

_FETCH = """
import sys
sys.path[:0] = %(path)r
import bb, bb.data, bb.fetch2
d = bb.data.init()
for name, value in %(values)r.items():
    d.setVar(name, value)
bb.fetch2.Fetch(%(urls)r, d).download()
"""


def start(urls, values, path):
    """A process that fetches with the `bb` found along `path`."""
    script = _FETCH % {"urls": urls, "values": values, "path": path}
    return subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                            start_new_session=True)


@unittest.skipUnless(have_engine(), "the extension module is not built: no downloader")
class Sharing(FetchTest):
    """Many processes, one folder."""

    def setUp(self):
        super().setUp()
        self.data = random.Random(1).randbytes(4 << 20)

    def assert_all_succeed(self, processes):
        for process in processes:
            _, errors = process.communicate()
            self.assertEqual(process.returncode, 0, errors.decode("utf-8", "replace"))

    def assert_complete(self, name, data):
        with open(os.path.join(self.dl, name), "rb") as stream:
            self.assertEqual(sha256(stream.read()), sha256(data))
        with open(os.path.join(self.dl, name + ".done"), "rb") as stream:
            self.assertEqual(pickle.load(stream)["sha256"], sha256(data))

    def test_eight_processes_cause_one_download(self):
        server = WebServer(self, {"f.bin": self.data}, pause=0.005)
        urls = [server.url("f.bin", ";sha256sum=" + sha256(self.data))]
        self.assert_all_succeed([start(urls, self.d.values, sys.path) for _ in range(8)])
        self.assertEqual(server.downloads("f.bin"), 1)
        self.assert_complete("f.bin", self.data)
        self.assertEqual(sorted(os.listdir(self.dl)), ["f.bin", "f.bin.done"])

    @unittest.skipUnless(os.environ.get("BITBAKE_CHECKOUT"), "BITBAKE_CHECKOUT does not name a BitBake to share with")
    def test_bitbake_and_eight_processes_cause_one_download_of_each(self):
        names = ["f%d.bin" % number for number in range(4)]
        server = WebServer(self, {name: self.data + name.encode() for name in names}, pause=0.005)
        bitbake = [os.path.join(os.environ["BITBAKE_CHECKOUT"], "lib")]
        urls = [server.url(name, ";name=%s;sha256sum=%s" % (name, sha256(server.files[name]))) for name in names]
        for round_number in range(3):
            bb.utils.remove(self.dl, True)
            os.mkdir(self.dl)
            server.requests.clear()
            # Whoever comes first: the others wait for it.
            starters = [bitbake] + 8 * [sys.path]
            random.Random(round_number).shuffle(starters)
            self.assert_all_succeed([start(urls, self.d.values, path) for path in starters])
            self.assertEqual([server.downloads(name) for name in names], [1] * len(names))
            for name in names:
                self.assert_complete(name, server.files[name])
            self.assertEqual(sorted(os.listdir(self.dl)), sorted(names + [name + ".done" for name in names]))


@unittest.skipUnless(have_engine(), "the extension module is not built: no downloader")
class Killed(FetchTest):
    """`kill -9` at random moments; what is left is never taken for the file."""

    def _kill_at_random(self, chance, urls):
        """Fetches in a process of its own and kills it with its children; whether it was done before."""
        child = os.fork()
        if child == 0:
            os.setsid()
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, 1)
            os.dup2(null, 2)
            try:
                bb.fetch2.Fetch(urls, Datastore(**self.d.values)).download()
            finally:
                os._exit(0)
        time.sleep(chance.uniform(0, 0.25))
        try:
            os.killpg(child, signal.SIGKILL)
        except ProcessLookupError:
            # Not yet a leader, or over.
            os.kill(child, signal.SIGKILL)
        return os.waitpid(child, 0)[1] == 0

    def _assert_nothing_passes_for_it(self, files):
        for name, data in files.items():
            path = os.path.join(self.dl, name)
            if os.path.exists(path):
                with open(path, "rb") as stream:
                    self.assertEqual(sha256(stream.read()), sha256(data), "%s is not what was served" % name)
            else:
                self.assertFalse(os.path.exists(path + ".done"), "a stamp without its file")

    def _kill(self, wanted, seed, spoil=None):
        """Kills as many fetches as wanted; after each, and after one that is left alone, looks at what is there."""
        chance = random.Random(seed)
        kills = 0
        while kills < wanted:
            files = {"f%d.bin" % number: chance.randbytes(300_000) for number in range(3)}
            server = self.server
            server.files = files
            urls = [server.url(name, ";name=%s;sha256sum=%s" % (name, sha256(data))) for name, data in files.items()]
            bb.utils.remove(self.dl, True)
            os.mkdir(self.dl)
            while not self._kill_at_random(chance, urls):
                kills += 1
                self._assert_nothing_passes_for_it(files)
                if spoil:
                    spoil(chance)
                if chance.random() < 0.3:
                    break
            bb.fetch2.Fetch(urls, Datastore(**self.d.values)).download()
            self._assert_nothing_passes_for_it(files)
            self.assertEqual(sorted(name for name in os.listdir(self.dl) if "_bad-checksum_" not in name),
                             sorted([*files, *(name + ".done" for name in files)]))

    def setUp(self):
        super().setUp()
        self.server = WebServer(self, {}, chunk=20_000, pause=0.01)

    def test_downloads_go_on_or_begin_anew(self):
        self._kill(60, seed=1)
        self.assertTrue(any(wanted for _, _, wanted in self.server.requests), "nothing was ever resumed")

    def test_a_part_that_was_spoilt_is_noticed(self):
        def spoil(chance):
            for name in os.listdir(self.dl):
                path = os.path.join(self.dl, name)
                if name.endswith(".tmp") and os.path.getsize(path):
                    with open(path, "r+b") as stream:
                        stream.seek(chance.randrange(os.path.getsize(path)))
                        stream.write(b"\x00spoilt")
        self._kill(30, seed=2, spoil=spoil)

    def test_a_wrong_part_is_not_resumed_where_no_checksum_would_tell(self):
        self.server.files = {"f.bin": b"new version of the file"}
        self.write("f.bin.tmp", b"old ver", self.dl)
        bb.fetch2.Fetch([self.server.url("f.bin")], Datastore(**self.d.values)).download()
        with open(os.path.join(self.dl, "f.bin"), "rb") as stream:
            self.assertEqual(stream.read(), self.server.files["f.bin"])
