"""What a recipe takes from outside, as reports are made of it."""

import os

import bb.fetch2

from fetch_tests.support import FetchTest, sha256


class Sources(FetchTest):
    """One dictionary for each entry."""

    def test_local_files_downloads_and_repositories(self):
        self.write("patch")
        self.d.setVar("PV", "1.0")
        self.d.setVar("LICENSE", "MIT")
        self.d.setVar("SRCREV", "a" * 40)
        self.d.setVar("SRC_URI", "file://patch https://me:secret@h/f.tgz;sha256sum=00 git://h/r;branch=m")
        local, web, git = bb.fetch2.sources(self.d)
        self.assertEqual((local["localpath"], local["recipe"], local["license"]), ("", "pn", "MIT"))
        self.assertEqual(web["localpath"], os.path.join(self.dl, "f.tgz"))
        self.assertEqual((web["donestamp"], web["checksums"]), (web["localpath"] + ".done", {"sha256": "00"}))
        self.assertNotIn("secret", web["url"])
        self.assertEqual(git["revision"], "a" * 40)
        self.assertEqual(git["tarballs"], [os.path.join(self.dl, "git2_h.r.tar.gz")])

    def test_what_is_there(self):
        folder, revision = self.repository()
        self.write("f.tgz", b"x", self.dl)
        self.d.setVar("SRCREV", revision)
        clone = "git://%s;protocol=file;branch=master" % folder
        self.d.setVar("SRC_URI", "http://h/f.tgz;sha256sum=%s %s" % (sha256(b"x"), clone))
        states = lambda: [(entry["stamped"].get("sha256"), entry["complete"]) for entry in bb.fetch2.sources(self.d)]
        self.assertEqual(states(), [(None, None), (None, False)])
        bb.fetch2.Fetch([], self.d).download()
        self.assertEqual(states(), [(sha256(b"x"), None), (None, True)])

    def test_a_recipe_without_sources_has_none(self):
        self.assertEqual(bb.fetch2.sources(self.d), [])
