"""Answers recorded from BitBake 2.18: URLs, what is derived from them, mirrors, local files in signatures."""

import json
import os

import bb
import bb.parse
import bb.fetch2

from fetch_tests.support import Datastore, FetchTest

GOLDEN = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "tests", "golden", "fetch.json")


class Golden(FetchTest):
    """All differences are shown at once."""

    def setUp(self):
        super().setUp()
        with open(GOLDEN, encoding="ascii") as stream:
            self.golden = json.load(stream)

    def compare(self, expected, answer):
        wrong = []
        for question, wanted in expected:
            try:
                found = answer(question)
            except (bb.fetch2.BBFetchException, bb.parse.SkipRecipe, bb.BBHandledException) as error:
                found = {"error": type(error).__name__}
            if json.loads(json.dumps(found)) != wanted:
                wrong.append("%s\n  expected %s\n  found    %s" % (question, wanted, found))
        self.assertFalse(wrong, "\n" + "\n".join(wrong))

    def test_urls_are_taken_apart(self):
        self.compare(self.golden["decode"].items(), lambda url: list(bb.fetch2.decodeurl(url)))

    def test_urls_are_put_together(self):
        self.compare(self.golden["encode"].items(), lambda url: bb.fetch2.encodeurl(bb.fetch2.decodeurl(url)))
        self.compare(self.golden["text"].items(), lambda url: str(bb.fetch2.URI(url)))

    def data(self, url):
        d = Datastore(DL_DIR="/dl", FILESPATH="/x", PN="pn", SRC_URI=url)
        d.setVar("SRCREV", "INVALID" if ";rev=" in url else "a" * 40)
        return bb.fetch2.FetchData(url, d), d

    def test_what_is_derived_from_a_url(self):
        def answer(url):
            ud, _ = self.data(url)
            wanted = self.golden["data"][url]
            found = {name: getattr(ud, name) for name in wanted if name != "error"}
            if "parm" in found:
                found["parm"] = {name: value for name, value in found["parm"].items() if name != "key"}
            return json.loads(json.dumps(found).replace("/dl", "@DL_DIR@"))
        self.compare(self.golden["data"].items(), answer)

    def test_mirror_lines(self):
        def answer(question):
            url, line = question
            ud, d = self.data(url)
            ud.setup_localpath(d)
            return bb.fetch2.build_mirroruris(ud, bb.fetch2.mirror_from_string(line), d)[0]
        pairs = [((url, line), urls) for url, line, urls in self.golden["mirrors"] if " y/" not in line]
        self.compare(pairs, answer)

    def test_local_files_in_signatures(self):
        for name in ("x/f1", "y/f1", "y/f2", "y/dir/a", "y/dir/sub/b", "x/only/c", "y/sp@ce", "y/tpl/a.patch",
                     "y/pct%20x", "z/dir/zz", "dl/indl", "abs/file", "abs/d/e", "y/a b"):
            self.write(name, folder=self.dir)
        os.mkdir(os.path.join(self.dir, "x", "emptydir"))
        for link, target in (("link", "f1"), ("linkdir", "dir"), ("dead", "nowhere")):
            os.symlink(target, os.path.join(self.dir, "y", link))
        self.d.setVar("FILESPATH", ":".join(os.path.join(self.dir, name) for name in "xyz"))

        def answer(urls):
            self.d.setVar("SRC_URI", urls.replace("@T", self.dir))
            return bb.fetch2.get_checksum_file_list(self.d).replace(self.dir, "@T")
        self.compare(self.golden["files"], answer)
