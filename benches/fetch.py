#!/usr/bin/env python3
"""fetch.py BITZEL BITBAKE_CHECKOUT [RUNS]: fetching and unpacking by bitzel and by BitBake, in turn.

200 files of 1 MiB from a server on loopback, whole processes from start to end; and an archive of
5000 files, by BitBake's and bitzel's unpack() and by tar alone. Prints the median of each and the
ratios of the pairs.
"""

import functools
import http.server
import os
import random
import shutil
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time

FILES, SIZE, MEMBERS = 200, 1 << 20, 5000

ASK = """
import os, sys, time
import bb, bb.data, bb.fetch2
d = bb.data.init()
for name, value in dict(DL_DIR=sys.argv[2], PERSISTENT_DIR=sys.argv[2] + '/p', FILESPATH=sys.argv[4], PN='x',
                        PATH=os.environ['PATH'], BB_STRICT_CHECKSUM='ignore').items():
    d.setVar(name, value)
fetcher = bb.fetch2.Fetch(open(sys.argv[3]).read().split(), d)
if sys.argv[1] == 'download':
    fetcher.download()
else:
    began = time.monotonic()
    fetcher.unpack(sys.argv[2])
    print(time.monotonic() - began)
"""


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves a folder over connections that stay open."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        """Quiet."""


def serve(folder):
    """Serves the folder until killed; prints the port."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=folder))
    print(server.server_port, flush=True)
    server.serve_forever()


class Bench:
    """The two programs, and what they are given."""

    def __init__(self, bitzel, checkout, folder):
        self.folder = folder
        self.programs = {"bitbake": [sys.executable, "-c", ASK], "bitzel": [bitzel, "python", "-c", ASK]}
        self.environment = {"bitbake": dict(os.environ, PYTHONPATH=os.path.join(checkout, "lib")),
                            "bitzel": {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}}

    def path(self, *names):
        """A path in the scratch folder."""
        return os.path.join(self.folder, *names)

    def ask(self, program, what, urls):
        """Runs it in a fresh folder: (seconds of the process, what it printed)."""
        target = self.path("target")
        shutil.rmtree(target, ignore_errors=True)
        os.mkdir(target)
        with open(self.path("urls"), "w", encoding="utf-8") as stream:
            stream.write("\n".join(urls))
        began = time.monotonic()
        output = subprocess.run([*self.programs[program], what, target, self.path("urls"), self.folder],
                                env=self.environment[program], check=True, stdout=subprocess.PIPE,
                                stderr=subprocess.DEVNULL).stdout
        return time.monotonic() - began, output

    def downloads(self, program, urls):
        """Seconds for all downloads."""
        seconds, _ = self.ask(program, "download", urls)
        for number in range(FILES):
            assert os.path.getsize(self.path("target", "f%d" % number)) == SIZE
        return seconds

    def unpacking(self, program):
        """Seconds of unpack(), of `tar` itself for the program `tar`."""
        if program != "tar":
            _, output = self.ask(program, "unpack", ["file://archive.tar"])
            seconds = float(output.split()[-1])
        else:
            target = self.path("target")
            shutil.rmtree(target, ignore_errors=True)
            os.mkdir(target)
            began = time.monotonic()
            subprocess.run(["tar", "x", "--no-same-owner", "-f", self.path("archive.tar")], cwd=target, check=True)
            seconds = time.monotonic() - began
        assert len(os.listdir(self.path("target", "a"))) == MEMBERS
        return seconds


def table(title, times, base, limit):
    """Prints medians, and the median of the ratios to `base`."""
    print(title)
    for program, seconds in times.items():
        ratios = [one / other for one, other in zip(seconds, times[base])]
        print("  %-8s %7.3f s   %.2f x %s" % (program, statistics.median(seconds), statistics.median(ratios), base))
    print("  wanted: bitzel at most %.2f x %s" % (limit, base))


def main(bitzel, checkout, runs):
    """Measures."""
    with tempfile.TemporaryDirectory(prefix="bitzel-bench-") as folder:
        bench = Bench(os.path.realpath(bitzel), os.path.realpath(checkout), folder)
        chance = random.Random(0)
        os.mkdir(bench.path("www"))
        for number in range(FILES):
            with open(bench.path("www", "f%d" % number), "wb") as stream:
                stream.write(chance.randbytes(SIZE))
        os.mkdir(bench.path("a"))
        for number in range(MEMBERS):
            with open(bench.path("a", "m%d" % number), "wb") as stream:
                stream.write(chance.randbytes(chance.randrange(20_000)))
        with tarfile.open(bench.path("archive.tar"), "w") as archive:
            archive.add(bench.path("a"), "a")
        server = subprocess.Popen([sys.executable, __file__, "--serve", bench.path("www")], stdout=subprocess.PIPE)
        try:
            port = int(server.stdout.readline())
            urls = ["http://127.0.0.1:%d/f%d;name=n%d" % (port, number, number) for number in range(FILES)]
            times = {"bitbake": [], "bitzel": []}
            unpacks = {"tar": [], "bitbake": [], "bitzel": []}
            for _ in range(runs):
                for program, seconds in times.items():
                    seconds.append(bench.downloads(program, urls))
                for program, seconds in unpacks.items():
                    seconds.append(bench.unpacking(program))
        finally:
            server.kill()
            server.wait()
        table("%d files of %d bytes, median of %d" % (FILES, SIZE, runs), times, "bitbake", 1 / 3)
        table("unpacking %d files, median of %d" % (MEMBERS, runs), unpacks, "tar", 1.1)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--serve"]:
        serve(sys.argv[2])
    elif len(sys.argv) < 3:
        sys.exit(__doc__)
    else:
        main(sys.argv[1], sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else 5)
