"""Whatever a URL, mirror, stamp or listing holds: it is understood, or refused in words, and leads nowhere else.

Mutations of inputs that exercise each rule, from a fixed seed; BITZEL_FUZZ_SECONDS says for how long each
test goes on (from the clock as seed then), within 1 GiB of memory.
"""

import os
import random
import resource
import time

import bb
import bb.fetch2
import bb.parse
from bb.fetch2 import checksums, mirrors, unpack, url as urls

from fetch_tests.support import FetchTest

_ROUNDS = 1500
_PIECES = ("://", ":", "/", ";", "=", "@", "?", "&", "..", "/../", "//", "%", "%2f", "%00", "\0", "[", "]", "[::1]", ":80",
           ":x", "-", "--", "\n", " ", "\\", "$", "${", "}", "`", "*", "(", ")", ".*", "é", "٣", "#", "~", "'",
           "rev=", "tag=", "branch=", "name=", "subdir=", "downloadfilename=", "protocol=", "module=", "unpack=0", "nobranch=1",
           "user=", "pswd=", "subpath=", "striplevel=", "localpath=", "type=", "path=", "sha256sum=", "lfs=0", "usehead=1")
_URLS = ("file://a/b.patch;apply=no", "file:///abs/x", "http://h.example/a/b-1.0.tar.gz;sha256sum=00;name=n",
         "https://u:p@h.example:8443/x%20y.zip?q=1&r;subdir=s;downloadfilename=f", "ftp://h.example/x;unpack=0",
         "git://h.example/a/b.git;protocol=https;branch=m;rev=%s" % ("a" * 40), "gitsm://h.example/r;branch=a,b;name=x",
         "git:///abs/repo;protocol=file;branch=m;subpath=d;destsuffix=e", "svn://h.example/r;module=m;protocol=http;rev=1",
         "hg://h.example/r;module=m;rev=1", "sftp://u@h.example:22/~/x", "ssh://u@h.example/x", "s3://bucket/key", "gs://b/k",
         "az://h.example/c/x", "crate://crates.io/name/1.2.3", "gomod://h.example/m;version=v1.0.0;mod=1",
         "gomodgit://h.example/m;version=v1.0.0;repo=h.example/r;srcrev=%s" % ("b" * 40), "npm://h.example;package=p;version=1",
         "p4://h.example/depot/...", "repo://h.example/m;branch=m", "ccrc://h.example/v;vob=/v;module=/m", "gitannex://h.example/r;branch=m")
_MIRRORS = ("http://.*/.* http://m.example/", "git://.*/.* https://m.example/MIRRORNAME;protocol=x", "https?://.*/(.*) file:///m/\\1",
            "crate://.*/.* http://m.example/PATH", "file://.* http://m.example/PATH;downloadfilename=PATH", "cvs://.* x",
            "http://[^/]*/.*;name=n http://m.example/TYPE/HOST/BASENAME", ".*://.*/.* git://m.example/r;protocol=file")
_LISTING = "Listing\n----------\nPath = a/b\nSize = 1\n\nPath = c\nAttributes = A\n"
# What may be said: words for people.
_ANSWERS = (bb.fetch2.BBFetchException, bb.parse.SkipRecipe, bb.BBHandledException)


class AnyInput(FetchTest):
    """See the top."""

    def setUp(self):
        super().setUp()
        soft, hard = resource.getrlimit(resource.RLIMIT_AS)
        with open("/proc/self/statm", encoding="ascii") as stream:
            used = int(stream.read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + (1 << 30), hard))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_AS, (soft, hard))
        self.d.setVar("SRCREV", "c" * 40)

    def inputs(self, seeds, repeats=(1, 1, 1, 2, 50)):
        """Mutated seeds, as many as wanted; a piece put in is repeated so often."""
        seconds = float(os.environ.get("BITZEL_FUZZ_SECONDS") or 0)
        chance = random.Random(time.time() if seconds else 1)
        end = time.monotonic() + seconds
        count = 0
        while count < _ROUNDS or time.monotonic() < end:
            count += 1
            yield self.mutated(chance, seeds, repeats)
        print("%s: %d inputs" % (self.id().rpartition(".")[2], count))

    @staticmethod
    def mutated(chance, seeds, repeats):
        text = chance.choice(seeds)
        for _ in range(chance.choice((0, 1, 1, 2, 3, 8))):
            start = chance.randrange(len(text) + 1)
            end = min(len(text), start + chance.choice((0, 0, 1, 3, 10)))
            piece = chance.choice(_PIECES) if chance.random() < 0.7 else chance.choice(seeds)[:chance.randrange(1, 30)]
            text = text[:start] + piece * chance.choice(repeats) + text[end:]
        return text

    def answer(self, function, text):
        """What it gives; None where it refuses in words. Anything else fails the test, with the input."""
        try:
            return function(text)
        except _ANSWERS as error:
            self.assertTrue(str(error).strip() or isinstance(error, bb.BBHandledException), repr(text))
            return None
        except Exception as error:
            raise AssertionError("%r for %r" % (error, text)) from error

    def test_urls_taken_apart_and_put_together(self):
        for text in self.inputs(_URLS):
            parts = self.answer(bb.fetch2.decodeurl, text)
            again = parts and self.answer(bb.fetch2.encodeurl, parts)
            if again:
                self.assertIsNotNone(self.answer(bb.fetch2.decodeurl, again), text)
            uri = self.answer(bb.fetch2.URI, text)
            if uri is not None:
                str(uri)
            self.answer(urls.decodemirrorurl, text)

    def test_downloads_stay_in_their_folder(self):
        for text in self.inputs(_URLS):
            ud = self.answer(lambda text: bb.fetch2.FetchData(text, self.d), text)
            if ud is None or ud.type == "file" or "localpath" in ud.parm:
                continue
            for path in (ud.localpath, ud.donestamp, ud.lockfile, *(os.path.join(self.dl, name) for name in ud.mirrortarballs)):
                if path and not (ud.parm.get("protocol") == "file" or ud.path.startswith(self.dl)):
                    inside = os.path.normpath(path).startswith(self.dl + "/")
                    self.assertTrue(inside, "%r goes to %r" % (text, path))

    def test_mirrors(self):
        self.d.setVar("SRCREV", "a" * 40)
        uds = [bb.fetch2.FetchData(url, self.d) for url in _URLS if url.partition(":")[0] in ("file", "https", "git", "s3", "crate")]
        # Patterns are the user's own: those that take for ever are not looked for.
        for text in self.inputs(_MIRRORS, repeats=(1,)):
            lines = self.answer(urls.mirror_from_string, text)
            for ud in uds:
                self.answer(lambda _: mirrors.build_mirroruris(ud, lines, self.d), text)

    def test_stamps_of_any_content(self):
        path = os.path.join(self.dl, "s.done")
        checksums._write_stamp(path, {"md5": "0" * 32, "sha256": "1" * 64})
        with open(path, "rb") as stream:
            good = stream.read().decode("latin-1")
        others = ("\x80\x04\x95\xff\xff\xff\xff\xff\xff\xff\xff.", "(((((d.", "cos\nsystem\n(S'true'\ntR.", "I9\n.", "]", "\x80\x02\x8a\xff")
        for text in self.inputs((good, *others)):
            with open(path, "wb") as stream:
                stream.write(text.encode("latin-1", "replace"))
            self.assertIsInstance(self.answer(checksums.read_stamp, path), dict)

    def test_listings_of_archives(self):
        for text in self.inputs((_LISTING, _LISTING.replace("a/b", "../b"), _LISTING.replace("c", "/etc/c"))):
            unsafe = self.answer(unpack.unsafe_entry, text)
            for line in text.partition("----------")[2].split("\n"):
                if line.startswith(("Path = /", "Path = ../")):
                    self.assertIsNotNone(unsafe, text)
