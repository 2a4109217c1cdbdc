"""Cloud storage by its command line tools: what they are asked, played by a script that copies from a folder."""

import os

import bb.fetch2

from fetch_tests.support import FetchTest, sha256

_TOOL = """#!/bin/sh
echo "$0 $*" >> %(dir)s/asked
while [ "$1" != cp ] && [ "$1" != ls ]; do shift; done
file=%(dir)s/store/${2#*://}
case $1 in
cp) cp "$file" "$3" ;;
ls) [ -e "$file" ] && echo "there: $2" ;;
esac
"""


class Tools(FetchTest):
    """`s3` and `gs`."""

    def setUp(self):
        super().setUp()
        self.tools = os.path.join(self.dir, "tools")
        self.d.setVar("PATH", self.tools + ":" + os.environ["PATH"])
        self.write("store/bucket/folder/key.bin", b"stored", self.dir)

    def install(self, name):
        os.chmod(self.write(name, _TOOL % {"dir": self.dir}, self.tools), 0o755)

    def assert_works(self, scheme, asked):
        url = "%s://bucket/folder/key.bin;sha256sum=%s" % (scheme, sha256(b"stored"))
        fetcher = self.fetcher(url)
        fetcher.checkstatus()
        fetcher.download()
        with open(os.path.join(self.dl, "key.bin"), "rb") as stream:
            self.assertEqual(stream.read(), b"stored")
        with open(os.path.join(self.dir, "asked")) as stream:
            said = [" ".join(line.split()[1:]) for line in stream]
        target = os.path.join(self.dl, "key.bin.tmp")
        self.assertEqual(said, ["%sls %s://bucket/folder/key.bin" % (asked, scheme),
                                "%scp %s://bucket/folder/key.bin %s" % (asked, scheme, target)])
        missing = self.fetcher("%s://bucket/none;sha256sum=%s" % (scheme, "0" * 64))
        with self.assertRaises(bb.fetch2.FetchError):
            missing.checkstatus()
        with self.assertRaises(bb.fetch2.FetchError):
            missing.download()
        wrong = "%s://bucket/folder/key.bin;downloadfilename=w;sha256sum=%s" % (scheme, "0" * 64)
        with self.assertRaises(bb.fetch2.FetchError):
            self.fetcher(wrong).download()
        self.assertEqual(sorted(os.listdir(self.dl)),
                         ["key.bin", "key.bin.done", "w_bad-checksum_" + sha256(b"stored")])

    def test_s3_by_aws(self):
        self.install("aws")
        self.assert_works("s3", "s3 ")

    def test_gs_by_gsutil(self):
        self.install("gsutil")
        self.assert_works("gs", "")

    def test_another_tool_if_it_is_named(self):
        self.install("mytool")
        self.d.setVar("FETCHCMD_s3", "mytool --profile x s3")
        self.assert_works("s3", "--profile x s3 ")

    def test_no_network_is_no_network(self):
        self.d.setVar("BB_NO_NETWORK", "1")
        for scheme in ("s3", "gs", "sftp", "ssh"):
            with self.assertRaises(bb.fetch2.NetworkAccess):
                self.fetcher("%s://bucket/folder/key.bin;sha256sum=%s" % (scheme, "0" * 64)).download()
