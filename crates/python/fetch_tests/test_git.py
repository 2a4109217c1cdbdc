"""Repositories: clones, checkouts, submodules, large files, shallow tarballs, mirrors, refusals."""

import os
import signal
import subprocess
import sys
import time
import unittest

import bb
import bb.fetch2

from fetch_tests.support import FetchTest, needs


@needs("git")
class Git(FetchTest):
    """All repositories are of this machine."""

    def url(self, folder, more="", branch="branch=master", scheme="git"):
        return "%s://%s;protocol=file;%s%s" % (scheme, folder, branch, more)

    def fetch_revision(self, url, revision, **values):
        self.d.setVar("SRCREV", revision)
        for name, value in values.items():
            self.d.setVar(name, value)
        return self.fetch(url)

    def head(self, folder="git"):
        return self.run_tool("git", "rev-parse", "HEAD", cwd=os.path.join(self.out, folder))

    def test_a_revision_is_checked_out_where_asked_for(self):
        folder, first = self.repository(a="1", **{"d/f": "2"})
        second = self.commit(folder, b="3")
        self.fetch_revision(self.url(folder), first)
        self.assertEqual((self.head(), self.tree()), (first, ["git/a", "git/d/f"]))
        self.fetch_revision(self.url(folder, ";destsuffix=x/y"), second)
        self.assertEqual(self.head("x/y"), second)
        self.fetch_revision(self.url(folder, ";subpath=d"), second)
        self.assertIn("d/f", self.tree())
        self.fetch_revision(self.url(folder, "", "nobranch=1"), first, BB_GIT_DEFAULT_DESTSUFFIX="own")
        self.assertEqual(self.head("own"), first)
        self.assertEqual(len(os.listdir(os.path.join(self.dl, "git2"))), 2)

    def test_a_clone_is_updated_when_a_revision_is_missing(self):
        folder, first = self.repository()
        self.fetch_revision(self.url(folder), first)
        second = self.commit(folder, b="b")
        self.fetch_revision(self.url(folder), second)
        self.assertEqual(self.head(), second)

    def test_what_is_not_there_is_an_error_that_names_it(self):
        folder, first = self.repository()
        self.d.setVar("SRCREV", "0" * 40)
        with self.assertRaises(bb.fetch2.FetchError):
            self.fetch(self.url(folder))
        with self.assertRaises(bb.fetch2.FetchError):
            self.fetch_revision(self.url(folder, "", "branch=nope"), first)

    def test_a_tag_has_to_be_the_revision(self):
        folder, first = self.repository()
        self.run_tool("git", "tag", "-am", "t", "v1", cwd=folder)
        second = self.commit(folder, b="b")
        self.fetch_revision(self.url(folder, ";tag=v1"), first)
        self.assertEqual(self.head(), first)
        with self.assertRaisesRegex(bb.fetch2.FetchError, "didn't match the SRCREV"):
            self.fetch_revision(self.url(folder, ";tag=v1"), second)

    def test_autorev_is_the_head_and_the_same_for_all_processes(self):
        folder, first = self.repository()
        self.d.setVar("__BBSRCREV_SEEN", "1")
        bb.fetch2._revisions_cache.clear()
        self.fetch_revision(self.url(folder), "AUTOINC")
        self.assertEqual(self.head(), first)
        self.commit(folder, b="b")
        bb.fetch2._revisions_cache.clear()
        self.fetch_revision(self.url(folder), "AUTOINC")
        self.assertEqual(self.head(), first)
        bb.fetch2.fetcher_init(self.d)
        self.fetch_revision(self.url(folder), "AUTOINC")
        self.assertNotEqual(self.head(), first)

    def test_submodules_come_along_and_unpack_without_upstream(self):
        inner, _ = self.repository("inner", i="1")
        middle, _ = self.repository("middle", m="1")
        self.run_tool("git", "submodule", "add", "-q", inner, "deep/inner", cwd=middle)
        self.commit(middle, m="2")
        outer, _ = self.repository("outer", o="1")
        self.run_tool("git", "submodule", "add", "-q", "../middle", "sub", cwd=outer)
        revision = self.commit(outer, o="2")
        self.d.setVar("SRCREV", revision)
        fetcher = self.fetcher(self.url(outer, scheme="gitsm"))
        fetcher.download()
        for name in ("inner", "middle", "outer"):
            os.rename(os.path.join(self.dir, name), os.path.join(self.dir, name + ".gone"))
        fetcher.unpack(self.out)
        wanted = ["git/.gitmodules", "git/o", "git/sub/.gitmodules", "git/sub/deep/inner/i", "git/sub/m"]
        self.assertEqual(self.tree(), wanted)
        self.assertFalse(fetcher.ud[fetcher.urls[0]].method.need_update(fetcher.ud[fetcher.urls[0]], self.d))

    @needs("git-lfs")
    def test_large_files_come_along(self):
        folder, _ = self.repository(**{".gitattributes": "*.bin filter=lfs -text\n"})
        self.run_tool("git", "lfs", "install", "--local", cwd=folder)
        revision = self.commit(folder, **{"big.bin": "big content"})
        self.d.setVar("SRCREV", revision)
        fetcher = self.fetcher(self.url(folder))
        fetcher.download()
        os.rename(folder, folder + ".gone")
        fetcher.unpack(self.out)
        with open(os.path.join(self.out, "git", "big.bin")) as stream:
            self.assertEqual(stream.read(), "big content")

    def test_a_mirror_tarball_stands_in_for_upstream(self):
        folder, revision = self.repository()
        url = self.url(folder)
        self.fetch_revision(url, revision, BB_GENERATE_MIRROR_TARBALLS="1")
        name = self.fetcher(url).ud[url].mirrortarballs[0]
        mirror = os.path.join(self.dir, "mirror")
        os.mkdir(mirror)
        os.rename(os.path.join(self.dl, name), os.path.join(mirror, name))
        os.rename(folder, folder + ".gone")
        bb.utils.remove(self.dl, True)
        os.mkdir(self.dl)
        self.d.setVar("BB_GENERATE_MIRROR_TARBALLS", "0")
        self.d.setVar("PREMIRRORS", "git://.*/.* file://%s/" % mirror)
        self.fetch_revision(url, revision, BB_FETCH_PREMIRRORONLY="1")
        self.assertEqual(self.head(), revision)

    def test_a_shallow_tarball_holds_one_commit(self):
        folder, _ = self.repository()
        revision = self.commit(folder, b="b")
        self.fetch_revision(self.url(folder), revision, BB_GIT_SHALLOW="1")
        self.assertEqual(os.listdir(os.path.join(self.dl)).count("git2"), 1)
        self.assertEqual(self.run_tool("git", "rev-list", "--count", "HEAD", cwd=os.path.join(self.out, "git")), "1")
        self.assertFalse([name for name in os.listdir(os.path.join(self.dl, "git2")) if not name.endswith(".done")])

    def test_a_clone_killed_at_any_moment_is_never_taken_for_one(self):
        folder, _ = self.repository()
        revision = self.commit(folder, **{"f%d" % number: os.urandom(40000).hex() for number in range(20)})
        self.d.setVar("SRCREV", revision)
        script = ("import sys; sys.path[:0] = %r\nfrom fetch_tests.support import Datastore\nimport bb, bb.fetch2\n"
                  "d = Datastore(**%r)\nbb.fetch2.Fetch([%r], d).download()\n" % (sys.path, self.d.values,
                                                                               self.url(folder)))
        for delay in (0.15, 0.25, 0.35, 0.5):
            process = subprocess.Popen([sys.executable, "-c", script], start_new_session=True,
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(delay)
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        self.fetch_revision(self.url(folder), revision)
        self.assertEqual(self.head(), revision)

    def test_uncommitted_work_is_not_updated_over(self):
        folder, first = self.repository()
        second = self.commit(folder, b="b")
        self.fetch_revision(self.url(folder), first)
        self.d.setVar("SRCREV", second)
        fetcher = self.fetcher(self.url(folder))
        fetcher.download()
        self.write("a", "mine", os.path.join(self.out, "git"))
        with self.assertRaises(bb.fetch2.LocalModificationsError):
            fetcher.unpack_update(self.out)
        self.run_tool("git", "commit", "-qam", "mine", cwd=os.path.join(self.out, "git"))
        fetcher.unpack_update(self.out)
        self.assertEqual(self.run_tool("git", "rev-parse", "HEAD^", cwd=os.path.join(self.out, "git")), second)


@needs("git")
class Revisions(FetchTest):
    """SRCREV, SRCREV_FORMAT and what signatures see."""

    def values(self, **values):
        for name, value in values.items():
            self.d.setVar(name, value)
        return bb.fetch2.get_srcrev(self.d), bb.fetch2.get_hashvalue(self.d)

    def test_one_repository(self):
        self.assertEqual(self.values(SRC_URI="git://h/x;branch=m file://y", SRCREV="a" * 40),
                         ("AUTOINC+aaaaaaaaaa", "a" * 40))

    def test_several_are_named_in_the_format(self):
        both = "git://h/x;branch=m;name=z git://h/y;branch=m;name=b"
        self.assertEqual(self.values(SRC_URI=both, SRCREV_z="a" * 40, SRCREV_b="b" * 40, SRCREV_FORMAT="b_z"),
                         ("AUTOINC+bbbbbbbbbb_aaaaaaaaaa", "a" * 40 + " " + "b" * 40))
        self.d.delVar("SRCREV_FORMAT")
        with self.assertRaisesRegex(bb.fetch2.FetchError, "SRCREV_FORMAT"):
            bb.fetch2.get_hashvalue(self.d)

    def test_subversion_counts_by_itself(self):
        self.assertEqual(self.values(SRC_URI="svn://h/p;module=m;rev=5"), ("5", "5"))

    def test_missing_and_contradicting_revisions(self):
        self.d.setVar("SRC_URI", "git://h/x;branch=m")
        with self.assertRaisesRegex(bb.fetch2.FetchError, "Please set a valid SRCREV"):
            bb.fetch2.get_srcrev(self.d)
        self.d.setVar("SRC_URI", "git://h/x;branch=m;rev=" + "b" * 40)
        self.d.setVar("SRCREV", "a" * 40)
        with self.assertRaisesRegex(bb.fetch2.FetchError, "Conflicting revisions"):
            bb.fetch2.get_srcrev(self.d)
        self.d.setVar("SRC_URI", "file://x")
        with self.assertRaisesRegex(bb.fetch2.FetchError, "no valid SCM"):
            bb.fetch2.get_srcrev(self.d)


if __name__ == "__main__":
    unittest.main()
