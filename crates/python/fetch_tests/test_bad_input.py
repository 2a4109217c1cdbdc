"""What recipes and machines get wrong: clear messages, nothing executed, nothing half-written, no password shown."""

import logging
import os
import shutil
import subprocess
import sys
import threading
import unittest

import bb
import bb.fetch2

from fetch_tests.support import FetchTest, have_engine, needs, sha256
from fetch_tests.webserver import WebServer

engine = unittest.skipUnless(have_engine(), "the extension module is not built: no downloader")


class BadInput(FetchTest):
    """Each message names the URL; DL_DIR holds nothing that passes for the download."""

    def setUp(self):
        super().setUp()
        logging.disable(logging.NOTSET)

    def fails(self, *urls, expected=bb.fetch2.BBFetchException):
        """All that was said by a fetch that has to fail."""
        with self.assertLogs("BitBake.Fetcher", "DEBUG") as logs:
            logging.getLogger("BitBake.Fetcher").warning("begins")
            with self.assertRaises(expected) as raised:
                self.fetch(*urls)
        left = [name for name in os.listdir(self.dl) if not name.endswith((".tmp",))
                and "_bad-checksum_" not in name and name not in ("git2", "svn", "hg")]
        self.assertEqual(left, [])
        return "%s\n%s\n%r" % ("\n".join(logs.output), raised.exception, raised.exception)

    def test_malformed_urls(self):
        for url in ("plain", "://h/x", "http://", "gopher://h/x", "git://h/x", "svn://h/x", "hg://h/x", "crate://crates.io/x",
                    "gomod://h/x", "ssh://", "http://h/x;name=a,b", "http://h:port/x", "ccrc://h/x", "http://[::1/x"):
            self.d.setVar("SRCREV", "a" * 40)
            text = self.fails(url)
            self.assertIn(url.partition("://")[2] or url, text, url)

    def test_names_that_go_up_do_not_lead_out_of_the_folder(self):
        for url in ("ssh://u@h/x/..", "http://h/x/..", "http://h/x;downloadfilename=../y", "s3://h/..", "sftp://h/x/.."):
            self.assertIn(url, self.fails(url, expected=bb.fetch2.ParameterError))

    def test_parameters_without_a_value(self):
        self.d.setVar("SRCREV", "a" * 40)
        for url, missing in (("git://h/x;branch", "branch"), ("gomod://h/x;version", "version"), ("svn://h/x;module", "module")):
            self.assertIn(missing, self.fails(url))

    def test_mirrors_that_are_no_patterns_are_named(self):
        for mirror in ("http://(.*/.* http://m/", "http://.*/.* http://m/\\1"):
            self.d.setVar("PREMIRRORS", mirror)
            self.assertIn(mirror, self.fails("http://127.0.0.1:1/f", expected=bb.fetch2.MalformedUrl))

    def test_a_stamp_that_holds_more_than_checksums_is_not_believed(self):
        marker = os.path.join(self.dir, "marker")
        path = os.path.join(self.dl, "s.done")
        for stamp in (b"cos\nsystem\n(S'touch %s'\ntR." % marker.encode(), b"\x80\x02}r\xff\xff\xff\x7f.", b"\x80\x02}", b"garbage"):
            self.write("s.done", stamp, self.dl)
            self.assertEqual(bb.fetch2.checksums.read_stamp(path), {})
        self.assertFalse(os.path.exists(marker))

    def test_an_unknown_scheme_is_told_which_there_are(self):
        text = self.fails("gopher://h/x")
        for scheme in ("crate", "file", "git", "https", "s3"):
            self.assertIn(scheme, text)

    def test_a_mistyped_parameter_is_told(self):
        self.write("a")
        with self.assertLogs("BitBake.Fetcher", "WARNING") as logs:
            self.fetch("file://a;subdirr=x;kmeta=1;made-up=2")
        self.assertEqual(len(logs.output), 1)
        self.assertIn("`subdirr` is not known and has no effect; `subdir` is", logs.output[0])

    @engine
    def test_unreachable_hosts(self):
        for host in ("127.0.0.1:1", "no-such-host.invalid"):
            text = self.fails("http://%s/f;sha256sum=%s" % (host, "0" * 64))
            self.assertIn("http://%s/f" % host, text)
            self.assertIn("could not be read", text)
        self.d.setVar("SRCREV", "a" * 40)
        self.assertIn("127.0.0.1:1/r", self.fails("git://127.0.0.1:1/r;branch=main"))

    @engine
    def test_the_line_to_paste_for_missing_and_wrong_checksums(self):
        data = b"some data"
        server = WebServer(self, {"f": data})
        line = 'SRC_URI[%%ssha256sum] = "%s"' % sha256(data)
        self.d.setVar("BB_STRICT_CHECKSUM", "1")
        with self.assertLogs("BitBake.Fetcher", "ERROR") as logs, self.assertRaises(bb.fetch2.BBFetchException):
            self.fetcher(server.url("f")).download()
        self.assertIn(line % "", "\n".join(logs.output))
        for name, prefix in (("", ""), (";name=n", "n.")):
            bb.utils.remove(self.dl, True)
            os.mkdir(self.dl)
            self.d.setVarFlag("SRC_URI", prefix + "sha256sum", "0" * 64)
            text = self.fails(server.url("f", name))
            self.assertIn(line % prefix, text)
            self.assertIn("0" * 64, text)

    @engine
    def test_servers_that_lie_truncate_and_stall(self):
        data = b"0123456789" * 1000

        def behave(handler, content):
            if handler.path == "/truncated":
                handler.send(200, data[:100], length=len(data))
            elif handler.path == "/other":
                handler.send(200, b"something else")
            elif handler.path == "/empty":
                handler.send(200, b"")
            elif handler.path == "/silent":
                handler.server.web.silence.wait(30)
            elif handler.path == "/rubbish":
                handler.wfile.write(b"\x00\x01 no HTTP at all\r\n\r\n")
            return True
        server = WebServer(self, {}, behave=behave)
        server.silence = threading.Event()
        self.addCleanup(server.silence.set)
        self.d.setVar("FETCHCMD_wget", "wget -t 1 -T 1")
        for path, said in (("truncated", "broke off after 100 of 10000"), ("other", "Checksum mismatch"), ("empty", "is empty"),
                           ("silent", "timeout"), ("rubbish", "could not be read")):
            text = self.fails(server.url(path, ";sha256sum=" + sha256(data)))
            self.assertIn(said, text, path)
            self.assertIn("/" + path, text)

    @engine
    def test_no_password_is_ever_shown(self):
        server = WebServer(self, {}, behave=lambda handler, data: handler.send(401, b"") or True)
        host = "127.0.0.1:%d" % server.port
        self.d.setVar("MIRRORS", "http://.*/.* http://mirror:hush-hush@%s/m/" % host)
        self.d.setVar("SRCREV", "a" * 40)
        for url in ("http://me:hush-hush@%s/f" % host, "http://%s/f;user=me;pswd=hush-hush" % host,
                    "http://hush-hush@%s/f" % host, "git://me:hush-hush@%s/r;protocol=http;branch=main" % host,
                    "git://hush-hush@%s/r;protocol=http;branch=main" % host,
                    "svn://me:hush-hush@%s/r;protocol=http;module=m" % host, "hg://me:hush-hush@%s/r;protocol=http;module=m" % host,
                    "http://me:hush-hush@no-such-host.invalid/f", "ftp://me:hush-hush@127.0.0.1:1/f",
                    "sftp://me:hush-hush@127.0.0.1:1/f", "http://%s/f;redirectauth=0;user=me;pswd=hush-hush" % host):
            self.d.setVar("FETCHCMD_wget", "/usr/bin/env wget --tries=1 --timeout=5")
            self.assertNotIn("hush-hush", self.fails(url), url)

    def test_names_are_never_options_or_commands(self):
        marker = os.path.join(self.dir, "marker")
        helper = self.write("helper", "#!/bin/sh\ntouch %s\n" % marker, self.dir)
        os.chmod(helper, 0o755)
        self.d.setVar("SRCREV", "a" * 40)
        run = "`%s`$(%s);|&%s" % (helper, helper, helper)
        for url in ("git://h/x;protocol=ssh;branch=--upload-pack=%s" % helper,
                    "git://-oProxyCommand=%s/x;protocol=ssh;branch=m" % helper,
                    "git://-oProxyCommand=%s@h/x;protocol=ssh;branch=m" % helper,
                    "git://h/x;protocol=ssh;branch=m;tag=--upload-pack=%s" % helper,
                    "git://h/x;protocol=ssh;branch=m;subpath=--output=%s" % helper,
                    "git://h/x;protocol=ext;branch=m", "git://%s/x;protocol=file;branch=m" % run.replace("/", "%2f"),
                    "git://none/x;protocol=file;branch=`%s`" % helper, "ssh://-oProxyCommand=%s/x" % helper,
                    "sftp://-oProxyCommand=%s/x" % helper, "svn://h/x;module=--config-option=%s" % helper,
                    "svn://h/x;module=m;protocol=svn+ssh;transportuser=-oProxyCommand=%s" % helper,
                    "hg://h/x;module=--config=alias.clone=!%s" % helper,
                    "hg://h/x;module=m;rev=--config=alias.log=!%s" % helper, "repo://h/x;branch=--config=%s" % helper,
                    "http://127.0.0.1:1/%s" % run.replace("/", "%2f"), "ftp://127.0.0.1:1/-O%s" % helper.replace("/", "%2f")):
            with self.assertRaises(bb.fetch2.BBFetchException, msg=url):
                self.fetch(url)
            self.assertFalse(os.path.exists(marker), url)

    def on_a_small_disk(self, *steps):
        """What `steps` print and say, in a mount namespace with a DL_DIR of one MiB.

        A step is (URL, SRCREV, a command that is run before); each prints whether it was fetched, and what is in
        DL_DIR but for stamps, locks and the inside of clones.
        """
        script = self.write("fetch.py", """
import logging, os, subprocess, sys
sys.path[:0] = %r
logging.basicConfig(level=logging.DEBUG)
import bb, bb.fetch2
from fetch_tests.support import Datastore
for url, revision, command in %r:
    d = Datastore(**%r)
    d.setVar("SRCREV", revision)
    if command:
        subprocess.check_call(command)
    try:
        bb.fetch2.Fetch([url], d).download()
        print("fetched")
    except bb.fetch2.BBFetchException as error:
        print("failed:", error)
    found = []
    for root, folders, files in os.walk(d.getVar("DL_DIR")):
        found += [os.path.relpath(os.path.join(root, name), d.getVar("DL_DIR")) for name in folders + files]
        folders[:] = [name for name in folders if name == "git2"]
    print(sorted(name for name in found if not name.endswith((".done", ".lock"))))
""" % (sys.path, steps, self.d.values), self.dir)
        words = ["unshare", "--map-root-user", "--mount", "sh", "-c", 'mount -t tmpfs -o size=1m none "$1" && exec "$2" "$3"',
                 "sh", self.dl, sys.executable, script]
        process = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        said = process.stderr.decode()
        if "unshare failed" in said or "permission denied" in said.lower() and not process.stdout:
            self.skipTest("no mount namespaces here: %s" % said.strip())
        return process.stdout.decode().splitlines(), said

    @engine
    @needs("unshare", "mount")
    def test_a_full_disk(self):
        data = os.urandom(3 << 20)
        server = WebServer(self, {"f": data, "small": b"x"})
        urls = [server.url("f", ";sha256sum=" + sha256(data)), server.url("small", ";sha256sum=" + sha256(b"x"))]
        lines, said = self.on_a_small_disk(*[(url, "", []) for url in urls])
        self.assertEqual([lines[0].partition(":")[0], *lines[1:]], ["failed", "[]", "fetched", "['small']"], said)
        self.assertIn("No space left on device", said + lines[0])

    @needs("unshare", "mount", "git")
    def test_a_disk_that_is_full_for_a_clone(self):
        folder, small = self.repository()
        upstream = os.path.join(self.dir, "bare")
        self.run_tool("git", "clone", "-q", "--bare", folder, upstream)
        large = self.commit(folder, data=os.urandom(2 << 20).hex())
        url = "git://%s;protocol=file;branch=master" % upstream
        push, larger = ["git", "-C", folder, "push", "-q", upstream, "master"], ["mount", "-o", "remount,size=32m", self.dl]
        lines, said = self.on_a_small_disk((url, small, []), (url, large, push), (url, small, []), (url, large, larger))
        self.assertEqual([line.partition(":")[0] for line in lines[::2]], ["fetched", "failed", "fetched", "fetched"], said)
        self.assertIn("No space left on device", said)
        shutil.rmtree(self.dl)
        os.mkdir(self.dl)
        lines, said = self.on_a_small_disk((url, large, []), (url, large, larger))
        self.assertEqual([lines[0].partition(":")[0], *lines[1:3]], ["failed", "['git2']", "fetched"], said)
        self.assertIn("No space left on device", said)
