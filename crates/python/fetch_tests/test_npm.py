"""`npm` and `npmsw` as BitBake 2.8 has them; later releases refuse both.

The npm tool is played by a script that answers for one registry.
"""

import base64
import hashlib
import io
import json
import os
import tarfile
import unittest.mock

import bb
import bb.fetch2
import bb.parse
from bb.fetch2 import npmsw

from fetch_tests.support import FetchTest
from fetch_tests.webserver import WebServer

_TOOL = """#!/bin/sh
echo "$*" >> %(dir)s/asked
[ "$2" = pkg@1.0.0 ] || [ "$2" = pkg@latest ] || { echo '{"error": {"code": "E404"}}'; exit 1; }
cat %(dir)s/answer
"""


def package(**files):
    """An archive as npm makes them: all files in one folder."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for name, text in files.items():
            entry = tarfile.TarInfo("package/" + name)
            entry.size = len(text)
            archive.addfile(entry, io.BytesIO(text.encode()))
    return stream.getvalue()


def integrity(data, kind="sha512"):
    """The checksum of an archive as registries write it."""
    return kind + "-" + base64.b64encode(hashlib.new(kind, data).digest()).decode()


class Level28(FetchTest):
    """A registry with one package, and BitBake 2.8."""

    def setUp(self):
        super().setUp()
        patch = unittest.mock.patch.object(bb, "__version__", "2.8.1")
        patch.start()
        self.addCleanup(patch.stop)
        self.data = package(index="text")
        self.web = WebServer(self, {"pkg/-/pkg-1.0.0.tgz": self.data, "other.tgz": package(other="text")})
        tools = os.path.join(self.dir, "tools")
        os.chmod(self.write("npm", _TOOL % {"dir": self.dir}, tools), 0o755)
        self.d.setVar("PATH", tools + ":" + os.environ["PATH"])
        self.d.setVar("S", os.path.join(self.out, "source"))
        self.answer({"tarball": self.web.url("pkg/-/pkg-1.0.0.tgz"), "integrity": integrity(self.data)})

    def answer(self, dist):
        self.write("answer", json.dumps({"name": "pkg", "dist": dist}), self.dir)

    def asked(self):
        with open(os.path.join(self.dir, "asked"), encoding="utf-8") as stream:
            return stream.read().splitlines()


class Registry(Level28):
    """`npm://`."""

    URL = "npm://registry.example.org;package=pkg;version=1.0.0"

    def test_the_registry_is_asked_once_and_the_archive_is_verified(self):
        self.fetch(self.URL)
        self.assertEqual(self.tree(), ["npm/index"])
        self.assertEqual(self.asked(), ["view pkg@1.0.0 --json=true --registry=https://registry.example.org"])
        self.assertEqual(sorted(os.listdir(os.path.join(self.dl, "npm2"))),
                         ["pkg-1.0.0.tgz", "pkg-1.0.0.tgz.done", "pkg-1.0.0.tgz.resolved"])
        with open(os.path.join(self.dl, "npm2", "pkg-1.0.0.tgz.resolved"), encoding="utf-8") as stream:
            self.assertEqual(stream.read(), self.web.url("pkg/-/pkg-1.0.0.tgz", ";downloadfilename=npm2/pkg-1.0.0.tgz;"
                             "sha512sum=%s" % hashlib.sha512(self.data).hexdigest()))
        self.d.setVar("BB_NO_NETWORK", "1")
        self.fetch(self.URL + ";destsuffix=a/b")
        self.assertEqual(self.tree(), ["a/b/index", "npm/index"])
        self.assertEqual((len(self.asked()), self.web.downloads("pkg/-/pkg-1.0.0.tgz")), (1, 1))

    def test_a_wrong_archive_is_put_aside_and_fetched_again(self):
        self.fetcher(self.URL).download()
        self.write("npm2/pkg-1.0.0.tgz", b"wrong", self.dl)
        self.fetcher(self.URL).download()
        aside = "pkg-1.0.0.tgz_bad-checksum_" + hashlib.sha512(b"wrong").hexdigest()
        self.assertIn(aside, os.listdir(os.path.join(self.dl, "npm2")))
        self.fetch(self.URL)
        self.assertEqual(self.tree(), ["npm/index"])

    def test_mirrors_have_the_archive(self):
        self.write("pkg-1.0.0.tgz", self.data, os.path.join(self.dir, "mirror"))
        self.answer({"tarball": "https://nowhere.invalid/pkg-1.0.0.tgz",
                     "shasum": hashlib.sha1(self.data).hexdigest()})
        self.d.setVar("PREMIRRORS", "https?://.*/.* file://%s/mirror/" % self.dir)
        self.d.setVar("BB_FETCH_PREMIRRORONLY", "1")
        self.fetch(self.URL)
        self.assertEqual(self.tree(), ["npm/index"])

    def test_what_is_wrong_is_told(self):
        host = "npm://registry.example.org"
        for url, kind in (("npm://;package=pkg;version=1.0.0", bb.fetch2.MalformedUrl),
                          (host + ";version=1.0.0", bb.fetch2.MissingParameterError),
                          (host + ";package=pkg", bb.fetch2.MissingParameterError),
                          (host + ";package=pkg;version=^1.0.0", bb.fetch2.ParameterError),
                          (host + ";package=--help;version=1.0.0", bb.fetch2.ParameterError),
                          (self.URL + ";downloadfilename=../../x", bb.fetch2.ParameterError)):
            with self.subTest(url), self.assertRaises(kind):
                self.fetcher(url)
        with self.assertRaises(bb.fetch2.FetchError):
            self.fetcher(host + ";package=none;version=1.0.0").download()
        for dist in ({"tarball": "file:///etc/passwd", "integrity": integrity(b"")}, {}, {"tarball": "http://h/x"},
                     {"tarball": "http://h/x;localpath=/etc/passwd", "integrity": integrity(b"")}):
            self.answer(dist)
            with self.subTest(dist), self.assertRaises(bb.fetch2.FetchError):
                self.fetcher(self.URL).download()
        with self.assertRaises(bb.fetch2.ParameterError):
            self.answer({"tarball": self.web.url("pkg/-/pkg-1.0.0.tgz"), "integrity": integrity(self.data)})
            self.fetch(self.URL + ";destsuffix=../outside")
        self.d.setVar("BB_NO_NETWORK", "1")
        with self.assertRaises(bb.fetch2.NetworkAccess):
            self.fetcher(host + ";package=pkg;version=latest").download()

    def test_later_releases_refuse_it(self):
        with unittest.mock.patch.object(bb, "__version__", "2.18.0"), self.assertRaises(bb.parse.SkipRecipe):
            self.fetcher(self.URL)


class Shrinkwrap(Level28):
    """`npmsw://`."""

    def shrinkwrap(self, **packages):
        folders = {"node_modules/" + name.replace("__", "/node_modules/"): entry for name, entry in packages.items()}
        path = self.write("lock.json", json.dumps({"packages": {"": {}, **folders}}), self.dir)
        return "npmsw://" + path

    def pinned(self, **more):
        return dict({"version": "1.0.0", "resolved": self.web.url("pkg/-/pkg-1.0.0.tgz"),
                     "integrity": integrity(self.data, "sha1")}, **more)

    def test_every_package_comes_to_its_place(self):
        folder, revision = self.repository(**{"from": "git"})
        other = {"version": self.web.url("other.tgz"), "integrity": integrity(self.web.files["other.tgz"])}
        url = self.shrinkwrap(pkg=self.pinned(), pkg__other=other,
                              repo={"version": "git+file://%s#%s" % (folder, revision)})
        # Neither is about the packages.
        self.d.setVarFlag("SRC_URI", "sha256sum", "0" * 64)
        self.d.setVar("SRCREV", "f" * 40)
        fetcher = self.fetch(url)
        modules = "source/node_modules/"
        self.assertEqual(self.tree(), [modules + "pkg/index", modules + "pkg/node_modules/other/other",
                                       modules + "repo/from", "source/npm-shrinkwrap.json"])
        self.assertEqual(len(fetcher.expanded_urldata()), 4)
        self.d.setVar("BB_NO_NETWORK", "1")
        self.fetch(url + ";destsuffix=x")
        self.assertIn("x/node_modules/pkg/node_modules/other/other", self.tree())
        self.d.delVar("SRC_URI")
        self.fetch(Registry.URL)
        self.assertIn("npm/index", self.tree())

    def test_development_is_left_out_unless_asked_for(self):
        url = self.shrinkwrap(pkg=self.pinned(dev=True))
        self.fetch(url)
        self.assertEqual(self.tree(), ["source/npm-shrinkwrap.json"])
        self.fetch(url + ";dev=1")
        self.assertEqual(self.tree(), ["source/node_modules/pkg/index", "source/npm-shrinkwrap.json"])

    def test_the_first_format_nests(self):
        found = []
        npmsw.foreach_dependencies({"dependencies": {"a": {"dependencies": {"@s/b": {"dev": True}}}, "c": {
            "bundled": True}}}, lambda *entry: found.append(entry), True)
        self.assertEqual([(name, path) for name, _, path in found],
                         [("@s/b", "node_modules/a/node_modules/@s/b"), ("a", "node_modules/a")])

    def test_what_is_wrong_is_told_before_anything_is_fetched(self):
        for entry in ({"version": "1.0.0"}, {"link": True}, {"version": "git+https://h/x#branch"},
                      {"version": "https://h/x#abc"}, self.pinned(resolved="file:///etc/passwd"),
                      self.pinned(integrity="sha512-!"), self.pinned(integrity="md5-AAAA"),
                      self.pinned(resolved="http://h/x;downloadfilename=y"), {"version": "git+ssh://h;x#abc"}, 7):
            with self.subTest(entry), self.assertRaises(bb.fetch2.ParameterError):
                self.fetcher(self.shrinkwrap(pkg=entry))
        with self.assertRaises(bb.fetch2.ParameterError):
            self.fetcher("npmsw://%s/none.json" % self.dir)
        wrong = self.shrinkwrap(pkg=self.pinned(integrity=integrity(b"wrong")))
        with self.assertRaises(bb.fetch2.FetchError):
            self.fetch(wrong)
        with self.assertRaises(bb.fetch2.ParameterError):
            self.fetch(self.shrinkwrap(**{"../../../outside": self.pinned()}))
        self.assertFalse(os.path.exists(os.path.join(self.dir, "outside")))
