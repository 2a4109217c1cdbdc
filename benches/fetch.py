#!/usr/bin/env python3
"""fetch.py BITZEL BITBAKE_CHECKOUT [RUNS]: fetching and unpacking by bitzel and by BitBake, in turn.

200 files of 1 MiB from a server on loopback, whole processes from start to end; and archives of 5000
small files and of four large ones (100 MiB), plain and compressed, by BitBake's and bitzel's unpack() and
by tar alone. Prints the median of each and the ratios of the pairs.
"""

import functools
import http.server
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

FILES, SIZE, MEMBERS = 200, 1 << 20, 5000
LARGE = 25 << 20
# Suffix -> tar's option.
KINDS = {".tar": [], ".tar.gz": ["-z"], ".tar.xz": ["-J"], ".tar.zst": ["--zstd"]}

ASK = """
import os, subprocess, sys, time
import bb, bb.data, bb.fetch2
d = bb.data.init()
for name, value in dict(DL_DIR=sys.argv[2], PERSISTENT_DIR=sys.argv[2] + '/p', FILESPATH=sys.argv[4], PN='x',
                        PATH=os.environ['PATH'], BB_STRICT_CHECKSUM='ignore').items():
    d.setVar(name, value)
fetcher = bb.fetch2.Fetch(open(sys.argv[3]).read().split(), d)
if sys.argv[1] == 'download':
    fetcher.download()
else:
    began, used = time.monotonic(), sum(os.times()[:4])
    if sys.argv[1] == 'unpack':
        fetcher.unpack(sys.argv[2])
    else:
        # The same from a process of the same size and age.
        subprocess.run(sys.argv[1].split(), cwd=sys.argv[2], check=True)
    print(time.monotonic() - began, sum(os.times()[:4]) - used)
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

    def unpacking(self, program, name, kind):
        """Seconds of unpack(), of `tar` itself for the program `tar`: on the clock, and of processor time."""
        words = "tar x --no-same-owner %s -f %s" % (" ".join(KINDS[kind]), self.path(name + kind))
        what = words if program == "tar" else "unpack"
        _, output = self.ask("bitbake" if program == "tar" else program, what, ["file://" + name + kind])
        seconds, used = map(float, output.split()[-2:])
        assert len(os.listdir(self.path("target", name))) == len(os.listdir(self.path(name)))
        return seconds, used

    def archives(self, chance):
        """Makes the archives; half of each file's bytes can be compressed, as in sources."""
        for name, count, largest in (("small", MEMBERS, 20_000), ("large", 4, LARGE)):
            os.mkdir(self.path(name))
            for number in range(count):
                half = chance.randrange(largest // 2) if name == "small" else largest // 2
                with open(self.path(name, "m%d" % number), "wb") as stream:
                    stream.write(chance.randbytes(half) + b"int main(void);\n" * (half // 16))
            for kind, options in KINDS.items():
                subprocess.run(["tar", "c", *options, "-f", self.path(name + kind), name], cwd=self.folder, check=True)


def table(title, times, base, limit):
    """Prints medians of seconds, and the median of the ratios to `base`."""
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
        bench.archives(chance)
        server = subprocess.Popen([sys.executable, __file__, "--serve", bench.path("www")], stdout=subprocess.PIPE)
        try:
            port = int(server.stdout.readline())
            urls = ["http://127.0.0.1:%d/f%d;name=n%d" % (port, number, number) for number in range(FILES)]
            times = {"bitbake": [], "bitzel": []}
            unpacks = {(name, kind): {"tar": [], "bitbake": [], "bitzel": []} for name in ("small", "large") for kind in KINDS}
            for _ in range(runs):
                for program, seconds in times.items():
                    seconds.append(bench.downloads(program, urls))
                for (name, kind), programs in unpacks.items():
                    for program, seconds in programs.items():
                        seconds.append(bench.unpacking(program, name, kind))
        finally:
            server.kill()
            server.wait()
        table("%d files of %d bytes, median of %d" % (FILES, SIZE, runs), times, "bitbake", 1 / 3)
        for (name, kind), programs in unpacks.items():
            # What a busy machine does to the clock it does not do to processor time.
            for index, what in enumerate(("", ", processor time")):
                times = {program: [one[index] for one in pairs] for program, pairs in programs.items()}
                table("unpacking %s%s%s, median of %d" % (name, kind, what, runs), times, "tar", 1.1)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--serve"]:
        serve(sys.argv[2])
    elif len(sys.argv) < 3:
        sys.exit(__doc__)
    else:
        main(sys.argv[1], sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else 5)
