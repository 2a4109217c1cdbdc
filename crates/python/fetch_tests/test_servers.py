"""Against real servers on loopback: nginx, git, Subversion, Mercurial, sshd."""

import getpass
import os
import pickle
import unittest

import bb
import bb.fetch2

from fetch_tests import servers
from fetch_tests.support import FetchTest, have_engine, needs, sha256

engine = unittest.skipUnless(have_engine(), "the extension module is not built: no downloader")


@engine
@needs("nginx", "openssl")
class Web(FetchTest):
    """Single files from nginx."""

    def setUp(self):
        super().setUp()
        self.root = os.path.join(self.dir, "www")
        os.mkdir(self.root)
        self.data = os.urandom(3 << 20)
        self.write("a.bin", self.data, self.root)
        self.port, self.secure, self.certificate = servers.nginx(self, self.root)

    def url(self, path, more="", scheme="http", port=None):
        return "%s://127.0.0.1:%d/%s;sha256sum=%s%s" % (scheme, port or self.port, path, sha256(self.data), more)

    def download(self, url):
        fetcher = self.fetcher(url)
        fetcher.download()
        with open(fetcher.localpath(url), "rb") as stream:
            self.assertEqual(stream.read(), self.data)
        return fetcher.localpath(url)

    def test_a_file_and_its_stamp(self):
        path = self.download(self.url("a.bin"))
        with open(path + ".done", "rb") as stream:
            stamp = pickle.load(stream)
        self.assertEqual(list(stamp), ["goh1", "md5", "sha256", "sha1", "sha384", "sha512"])
        self.assertEqual(stamp["sha256"], sha256(self.data))
        self.assertEqual(sorted(os.listdir(self.dl)), ["a.bin", "a.bin.done"])

    def test_what_is_begun_is_resumed(self):
        self.write("a.bin.tmp", self.data[:1 << 20], self.dl)
        self.download(self.url("a.bin"))
        with open(os.path.join(self.dir, "nginx", "access.log")) as stream:
            self.assertIn('" 206 %d ' % (2 << 20), stream.read())

    def test_redirections_logins_and_netrc(self):
        self.download(self.url("moved/a.bin", ";downloadfilename=b"))
        self.download(self.url("private/a.bin", ";downloadfilename=c;user=me;pswd=secret"))
        with self.assertRaises(bb.fetch2.FetchError):
            self.download(self.url("private/a.bin", ";downloadfilename=d"))
        self.write(".netrc", "machine 127.0.0.1 login me password secret", self.dir)
        self.download(self.url("private/a.bin", ";downloadfilename=d"))

    def test_certificates_are_checked(self):
        url = self.url("a.bin", "", "https", self.secure)
        with self.assertRaises(bb.fetch2.FetchError):
            self.download(url)
        self.d.setVar("SSL_CERT_FILE", self.certificate)
        self.download(url)
        self.d.delVar("SSL_CERT_FILE")
        self.d.setVar("BB_CHECK_SSL_CERTS", "0")
        self.download(self.url("a.bin", ";downloadfilename=b", "https", self.secure))

    def test_wrong_content_and_the_way_out(self):
        url = "http://127.0.0.1:%d/a.bin;sha256sum=%s" % (self.port, "0" * 64)
        with self.assertLogs("BitBake.Fetcher", "ERROR") as logs:
            logging_was_off(self)
            with self.assertRaises(bb.fetch2.FetchError):
                self.download(url)
        self.assertIn('SRC_URI[sha256sum] = "%s"' % sha256(self.data), "".join(logs.output))
        self.assertEqual(os.listdir(self.dl), ["a.bin_bad-checksum_" + sha256(self.data)])
        good = os.path.join(self.root, "good")
        self.write("a.bin", "right", good)
        self.d.setVar("MIRRORS", "http://.*/a.bin http://127.0.0.1:%d/good/" % self.port)
        self.data = b"right"
        self.download("http://127.0.0.1:%d/a.bin;sha256sum=%s" % (self.port, sha256(b"right")))

    def test_the_next_mirror_is_asked_where_one_has_another_file(self):
        self.write("other/a.bin", "another file", self.root)
        here = "http://127.0.0.1:%d" % self.port
        for variable in ("PREMIRRORS", "MIRRORS"):
            self.d.setVar(variable, "http://127.0.0.1:%d/none/.* %s/other/ \\n http://.*/none/.* %s/" % (self.port, here, here))
            self.download(self.url("none/a.bin"))
            self.assertEqual(sorted(os.listdir(self.dl)),
                             ["a.bin", "a.bin.done", "a.bin_bad-checksum_" + sha256(b"another file")])
            self.d.delVar(variable)
            bb.utils.remove(self.dl, True)
            os.mkdir(self.dl)

    def test_checksums_may_have_capital_letters(self):
        self.download("http://127.0.0.1:%d/a.bin;sha256sum=%s" % (self.port, sha256(self.data).upper()))

    def test_a_missing_checksum_is_told_with_the_line_to_paste(self):
        url = "http://127.0.0.1:%d/a.bin" % self.port
        self.d.setVar("BB_STRICT_CHECKSUM", "1")
        with self.assertLogs("BitBake.Fetcher", "ERROR") as logs:
            logging_was_off(self)
            with self.assertRaisesRegex(bb.fetch2.BBFetchException, "missing checksums"):
                self.fetcher(url).download()
        self.assertIn("SRC_URI[sha256sum]", "".join(logs.output))

    def test_status_checks(self):
        fetcher = self.fetcher(self.url("a.bin"))
        fetcher.checkstatus()
        cache = bb.fetch2.FetchConnectionCache()
        fetch = bb.fetch2.Fetch([self.url("a.bin"), self.url("none")], self.d, connection_cache=cache)
        fetch.checkstatus([self.url("a.bin")])
        with self.assertRaises(bb.fetch2.FetchError):
            fetch.checkstatus([self.url("none")])
        cache.close_connections()

    def test_the_newest_version_is_found(self):
        for name in ("foo-1.0.tar.gz", "foo-1.10.tar.gz", "foo-1.9.tar.xz", "foo-2.0rc1.tar.gz", "bar-9.tar.gz"):
            self.write("v/" + name, folder=self.root)
        url = "http://127.0.0.1:%d/v/foo-1.0.tar.gz" % self.port
        ud = self.fetcher(url).ud[url]
        self.assertEqual(ud.method.latest_versionstring(ud, self.d)[0], "1.10")

    def test_all_files_of_a_recipe_at_once(self):
        urls = []
        for number in range(20):
            data = os.urandom(100000)
            self.write("m/f%d" % number, data, self.root)
            urls.append("http://127.0.0.1:%d/m/f%d;sha256sum=%s;name=n%d" % (self.port, number, sha256(data), number))
        self.fetcher(*urls, "http://127.0.0.1:%d/a.bin;sha256sum=%s" % (self.port, sha256(self.data))).download()
        self.assertEqual(len(os.listdir(self.dl)), 42)

    def test_shared_state_comes_through_the_same_mirrors(self):
        """As sstate classes do it: DL_DIR and FILESPATH are the cache, mirrors take its files' paths."""
        self.write("universal/ab/cd/s.tar.zst", "state", self.root)
        self.write("elsewhere/universal/ef/s2.tar.zst", "state two", self.dir)
        self.d.setVar("FILESPATH", self.dl)
        self.d.setVar("BB_FETCH_PREMIRRORONLY", "1")
        self.d.setVar("PREMIRRORS", "file://.* http://127.0.0.1:%d/PATH;downloadfilename=PATH \\n "
                      "file://.* file://%s/elsewhere/PATH" % (self.port, self.dir))
        for path in ("universal/ab/cd/s.tar.zst", "universal/ef/s2.tar.zst"):
            url = "file://%s;downloadfilename=%s" % (path, path)
            fetcher = bb.fetch2.Fetch([url], self.d, cache=False)
            fetcher.checkstatus()
            fetcher.download()
            self.assertTrue(os.path.exists(os.path.join(self.dl, path)), path)
        missing = bb.fetch2.Fetch(["file://universal/none;downloadfilename=universal/none"], self.d, cache=False)
        with self.assertRaises(bb.fetch2.FetchError):
            missing.checkstatus()

    def test_repositories_over_plain_http(self):
        folder, revision = self.repository()
        self.run_tool("git", "clone", "-q", "--bare", folder, os.path.join(self.root, "r.git"))
        self.run_tool("git", "update-server-info", cwd=os.path.join(self.root, "r.git"))
        self.d.setVar("SRCREV", revision)
        self.fetch("git://127.0.0.1:%d/r.git;protocol=http;branch=master" % self.port)
        self.assertEqual(self.tree(), ["git/a"])


def logging_was_off(test):
    """Tests that read the log need it; the others are quiet."""
    import logging
    logging.disable(logging.NOTSET)


@needs("git")
class Repositories(FetchTest):
    """Source control servers."""

    def test_git_daemon(self):
        folder, _ = self.repository("served")
        revision = self.commit(folder, b="b")
        port = servers.git_daemon(self, self.dir)
        url = "git://127.0.0.1:%d/served;branch=master" % port
        self.d.setVar("SRCREV", revision)
        self.fetch(url)
        self.assertEqual(self.tree(), ["git/a", "git/b"])
        self.d.setVar("BB_GIT_SHALLOW", "1")
        bb.utils.remove(self.dl, True)
        os.mkdir(self.dl)
        self.fetch(url)
        self.assertTrue(os.path.exists(os.path.join(self.out, "git", ".git", "shallow")))

    def test_git_over_smart_http(self):
        folder, revision = self.repository("served")
        port = servers.git_http(self, self.dir)
        self.d.setVar("SRCREV", revision)
        self.fetch("git://127.0.0.1:%d/served;protocol=http;branch=master" % port)
        self.assertEqual(self.tree(), ["git/a"])

    def over_http(self, name, scheme="git"):
        return "%s://127.0.0.1:%d/%s;protocol=http;branch=master" % (scheme, self.port, name)

    def test_submodules_over_http(self):
        inner, _ = self.repository("inner", i="1")
        outer, _ = self.repository("outer", o="1")
        self.run_tool("git", "submodule", "add", "-q", inner, "sub", cwd=outer)
        self.run_tool("git", "config", "-f", ".gitmodules", "submodule.sub.url", "../inner", cwd=outer)
        self.d.setVar("SRCREV", self.commit(outer, o="2"))
        self.port = servers.git_http(self, self.dir)
        self.fetch(self.over_http("outer", "gitsm"))
        self.assertEqual(self.tree(), ["git/.gitmodules", "git/o", "git/sub/i"])

    def test_shallow_over_http(self):
        folder, _ = self.repository("served")
        self.d.setVar("SRCREV", self.commit(folder, b="b"))
        self.d.setVar("BB_GIT_SHALLOW", "1")
        self.d.setVar("BB_GENERATE_SHALLOW_TARBALLS", "1")
        self.port = servers.git_http(self, self.dir)
        self.fetch(self.over_http("served"))
        self.assertEqual(self.tree(), ["git/a", "git/b"])
        history = self.run_tool("git", "rev-list", "--count", "HEAD", cwd=os.path.join(self.out, "git"))
        self.assertEqual(history, "1")
        clones = os.listdir(os.path.join(self.dl, "git2"))
        self.assertEqual([name for name in clones if not name.endswith(".done")], [], "the whole history came")

    @needs("git-lfs")
    def test_large_files_over_http(self):
        folder, _ = self.repository("work", **{".gitattributes": "*.bin filter=lfs -text\n"})
        self.run_tool("git", "lfs", "install", "--local", cwd=folder)
        self.d.setVar("SRCREV", self.commit(folder, **{"big.bin": "big content"}))
        bare = os.path.join(self.dir, "served.git")
        self.run_tool("git", "clone", "-q", "--bare", folder, bare)
        self.run_tool("git", "lfs", "push", "--all", "file://" + bare, cwd=folder)
        os.rename(folder, folder + ".gone")
        self.port = servers.git_http(self, self.dir)
        self.fetch(self.over_http("served.git"))
        with open(os.path.join(self.out, "git", "big.bin")) as stream:
            self.assertEqual(stream.read(), "big content")

    @needs("wget")
    def test_ftp(self):
        data = os.urandom(100_000)
        self.write("f.bin", data, os.path.join(self.dir, "ftp"))
        port, sent = servers.ftp(self, os.path.join(self.dir, "ftp"))
        more = "f.bin;sha256sum=" + sha256(data)
        self.write("f.bin.tmp", data[:60_000], self.dl)
        for login, name in (("", "f.bin"), ("me:secret@", "g.bin")):
            self.fetcher("ftp://%s127.0.0.1:%d/%s;downloadfilename=%s" % (login, port, more, name)).download()
            with open(os.path.join(self.dl, name), "rb") as stream:
                self.assertEqual(stream.read(), data)
        self.assertEqual(sent, [40_000, 100_000])
        for url in ("me:wrong@127.0.0.1:%d/%s" % (port, more), "127.0.0.1:%d/none;sha256sum=%s" % (port, sha256(data))):
            with self.assertRaises(bb.fetch2.FetchError):
                self.fetcher("ftp://%s;downloadfilename=h" % url).download()
        self.assertEqual([name for name in os.listdir(self.dl) if name.startswith("h")], [], "something is left")

    @needs("svn", "svnadmin", "svnserve")
    def test_subversion(self):
        self.run_tool("svnadmin", "create", "svnroot/project", cwd=self.mkdir("svnroot"))
        self.write("README", "readme", os.path.join(self.dir, "import"))
        repository = "file://%s/svnroot/project" % self.dir
        self.run_tool("svn", "import", "-q", "-m", "x", os.path.join(self.dir, "import"), repository + "/trunk")
        port = servers.svnserve(self, os.path.join(self.dir, "svnroot"))
        for protocol, host in (("svn", "127.0.0.1:%d/project" % port),
                               ("file", "%s/svnroot/project" % self.dir)):
            bb.utils.remove(self.out, True)
            os.mkdir(self.out)
            self.fetch("svn://%s;module=trunk;protocol=%s;rev=1" % (host, protocol))
            self.assertEqual(self.tree(), ["trunk/README"])

    def mkdir(self, name):
        os.mkdir(os.path.join(self.dir, name))
        return self.dir

    @needs("hg")
    def test_mercurial(self):
        folder = os.path.join(self.dir, "hgroot")
        self.run_tool("hg", "init", folder)
        self.write("README", "readme", folder)
        self.run_tool("hg", "commit", "-q", "-A", "-m", "x", "-u", "me", cwd=folder)
        revision = self.run_tool("hg", "identify", "-i", cwd=folder)
        port = servers.hg_serve(self, folder)
        self.d.setVar("SRCREV", revision)
        self.d.setVar("BB_GENERATE_MIRROR_TARBALLS", "1")
        url = "hg://127.0.0.1:%d/;protocol=http;module=proj" % port
        fetcher = self.fetch(url)
        self.assertEqual([name for name in self.tree() if ".hg" not in name], ["proj/README"])
        self.assertTrue(os.path.exists(fetcher.ud[url].fullmirror))

    @needs("sshd", "sftp", "scp", "ssh-keygen")
    def test_sftp_and_scp(self):
        port, config = servers.sshd(self)
        data = b"by ssh"
        path = self.write("served.bin", data, self.dir)
        self.d.setVar("FETCHCMD_sftp", "sftp -F%s" % config)
        host = "%s@127.0.0.1:%d" % (getpass.getuser(), port)
        fetcher = self.fetcher("sftp://%s%s;sha256sum=%s" % (host, path, sha256(data)))
        fetcher.download()
        with open(os.path.join(self.dl, "served.bin"), "rb") as stream:
            self.assertEqual(stream.read(), data)
        with self.assertRaises(bb.fetch2.FetchError):
            self.fetcher("sftp://%s%s;sha256sum=%s;downloadfilename=x" % (host, path, "0" * 64)).download()
        tools = os.path.join(self.dir, "tools")
        wrapper = self.write("scp", "#!/bin/sh\nexec /usr/bin/scp -F %s \"$@\"\n" % config, tools)
        os.chmod(wrapper, 0o755)
        self.d.setVar("PATH", tools + ":" + os.environ["PATH"])
        bb.utils.remove(os.path.join(self.dl, "served.bin"))
        bb.utils.remove(os.path.join(self.dl, "served.bin.done"))
        self.fetcher("ssh://%s%s" % (host, path)).download()
        with open(os.path.join(self.dl, "served.bin"), "rb") as stream:
            self.assertEqual(stream.read(), data)
