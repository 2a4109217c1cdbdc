"""Archives and files are unpacked as asked, and hostile archives stay inside."""

import io
import os
import resource
import stat
import subprocess
import tarfile
import zipfile

import bb
import bb.utils
import bb.fetch2

from fetch_tests.support import FetchTest, needs


class Unpack(FetchTest):
    """What the parameters of a URL do."""

    def setUp(self):
        super().setUp()
        self.write("d/x", "x")
        self.write("d/e/y", "y")
        os.symlink("x", os.path.join(self.files, "d", "ln"))

    def archive(self, name, *words):
        subprocess.run([*words, os.path.join(self.files, name), "d"], cwd=self.files, check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return "file://" + name

    def assert_unpacked(self, url, tree=("d/e/y", "d/ln", "d/x")):
        bb.utils.remove(self.out, True)
        os.mkdir(self.out)
        self.fetch(url)
        self.assertEqual(self.tree(), list(tree), url)

    @needs("gzip", "bzip2", "xz")
    def test_tar_archives_of_every_compression(self):
        for suffix, option in ((".tar", ""), (".tar.gz", "z"), (".tgz", "z"), (".tar.bz2", "j"), (".tbz2", "j"),
                               (".tar.xz", "J"), (".txz", "J")):
            self.assert_unpacked(self.archive("a" + suffix, "tar", "c%sf" % option))

    @needs("zstd")
    def test_zstd(self):
        self.assert_unpacked(self.archive("a.tar.zst", "tar", "--zstd", "-cf"))

    @needs("lzip")
    def test_lzip(self):
        self.assert_unpacked(self.archive("a.tar.lz", "tar", "--lzip", "-cf"))

    @needs("zip", "unzip")
    def test_zip(self):
        url = self.archive("a.zip", "zip", "-qry")
        self.assert_unpacked(url)
        self.write("d/dos", b"one\r\ntwo\r\n")
        self.archive("a.jar", "zip", "-qry")
        self.assert_unpacked("file://a.jar;dos=1", ("d/dos", "d/e/y", "d/ln", "d/x"))
        with open(os.path.join(self.out, "d", "dos"), "rb") as stream:
            self.assertEqual(stream.read(), b"one\ntwo\n")

    @needs("7z", "7za")
    def test_7z(self):
        self.assert_unpacked(self.archive("a.7z", "7z", "a"))

    @needs("rpmbuild", "rpm2cpio", "cpio")
    def test_rpm(self):
        spec = self.write("t.spec", "Name: t\nVersion: 1\nRelease: 1\nSummary: t\nLicense: x\nBuildArch: noarch\n"
                          "%description\nt\n%install\nmkdir -p %{buildroot}/s; echo q > %{buildroot}/s/q; "
                          "echo r > %{buildroot}/s/r\n%files\n/s\n")
        self.run_tool("rpmbuild", "--define", "_topdir %s/rb" % self.dir, "-bb", spec)
        os.rename(os.path.join(self.dir, "rb/RPMS/noarch/t-1-1.noarch.rpm"), os.path.join(self.files, "t.rpm"))
        self.assert_unpacked("file://t.rpm", ("s/q", "s/r"))
        self.assert_unpacked("file://t.rpm;extract=s/q", ("s/q",))

    @needs("ar", "xz")
    def test_deb(self):
        self.write("debian-binary", "2.0\n")
        self.archive("data.tar.xz", "tar", "cJf")
        self.run_tool("ar", "r", "p.deb", "debian-binary", "data.tar.xz", cwd=self.files)
        self.assert_unpacked("file://p.deb")

    @needs("gzip", "bzip2", "xz")
    def test_single_files(self):
        for suffix, tool in ((".gz", "gzip"), (".bz2", "bzip2"), (".xz", "xz")):
            path = self.write("one", "text")
            subprocess.run([tool, "-k", "-f", path], check=True)
            self.assert_unpacked("file://one" + suffix, ("one",))

    def test_parameters(self):
        url = self.archive("a.tar.gz", "tar", "czf")
        self.assert_unpacked(url + ";subdir=q/w", ("q/w/d/e/y", "q/w/d/ln", "q/w/d/x"))
        self.assert_unpacked(url + ";striplevel=1", ("e/y", "ln", "x"))
        self.assert_unpacked(url + ";unpack=0", ("a.tar.gz",))
        self.assert_unpacked("file://d", ("d/e/y", "d/ln", "d/x"))
        self.assert_unpacked("file://d/e;subdir=s", ("s/d/e/y",))
        for bad in (";striplevel=-1", ";striplevel=1x", ";subdir=/tmp"):
            with self.assertRaises(bb.fetch2.UnpackError):
                self.fetch(url + bad)
        with self.assertRaises(bb.BBHandledException):
            self.fetch(url + ";unpack=maybe")

    def test_modes_and_times_of_copied_files(self):
        path = self.write("script", "#!/bin/sh\n")
        os.chmod(path, 0o755)
        os.utime(path, (1000, 1000))
        self.assert_unpacked("file://script", ("script",))
        info = os.stat(os.path.join(self.out, "script"))
        self.assertEqual((stat.S_IMODE(info.st_mode), int(info.st_mtime)), (0o755, 1000))

    def test_a_broken_archive_is_an_error_with_the_tools_words(self):
        self.write("a.tar.gz", b"no archive")
        with self.assertRaisesRegex(bb.fetch2.UnpackError, "not in gzip format"):
            self.fetch("file://a.tar.gz")


class Hostile(FetchTest):
    """Whatever an archive holds, nothing outside of the folder changes."""

    def attack(self, url):
        victim = self.write("victim", "untouched", self.dir)
        self.write("inner", "untouched", os.path.join(self.dir, "outside"))
        before = self.tree(os.path.join(self.dir, "outside"))
        try:
            self.fetch(url)
        except bb.fetch2.BBFetchException:
            pass
        with open(victim) as stream:
            self.assertEqual(stream.read(), "untouched")
        with open(os.path.join(self.dir, "outside", "inner")) as stream:
            self.assertEqual(stream.read(), "untouched")
        self.assertEqual(self.tree(os.path.join(self.dir, "outside")), before)
        self.assertFalse(os.path.exists(os.path.join(self.dir, "evil")))

    def tar(self, *members):
        path = os.path.join(self.files, "a.tar")
        with tarfile.open(path, "w") as archive:
            for name, kind, target in members:
                entry = tarfile.TarInfo(name)
                entry.type = kind
                entry.linkname = target if kind != tarfile.REGTYPE else ""
                data = b"evil" if kind == tarfile.REGTYPE else b""
                entry.size = len(data)
                archive.addfile(entry, io.BytesIO(data))
        return "file://a.tar"

    def test_tar_with_absolute_names_and_dots(self):
        self.attack(self.tar((os.path.join(self.dir, "victim"), tarfile.REGTYPE, "")))
        self.attack(self.tar(("../victim", tarfile.REGTYPE, ""), ("a/../../evil", tarfile.REGTYPE, "")))

    def test_tar_with_links_that_lead_out(self):
        outside = os.path.join(self.dir, "outside")
        for target in (outside, "../outside"):
            self.attack(self.tar(("out", tarfile.SYMTYPE, target), ("out/inner", tarfile.REGTYPE, ""),
                                 ("out/new", tarfile.REGTYPE, "")))
        self.attack(self.tar(("v", tarfile.LNKTYPE, os.path.join(self.dir, "victim")), ("v", tarfile.REGTYPE, "")))
        self.attack(self.tar(("v", tarfile.SYMTYPE, os.path.join(self.dir, "victim")), ("v", tarfile.REGTYPE, "")))
        self.attack(self.tar(("v", tarfile.LNKTYPE, "../victim"), ("v", tarfile.REGTYPE, "")))

    def test_tar_with_devices(self):
        self.attack(self.tar(("dev", tarfile.CHRTYPE, ""), ("fifo", tarfile.FIFOTYPE, "")))

    @needs("unzip")
    def test_zip(self):
        path = os.path.join(self.files, "a.zip")
        link = zipfile.ZipInfo("out")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        link.create_system = 3
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("../victim", "evil")
            archive.writestr(os.path.join(self.dir, "evil"), "evil")
            archive.writestr(link, os.path.join(self.dir, "outside"))
            archive.writestr("out/inner", "evil")
        self.attack("file://a.zip")

    @needs("7z", "7za")
    def test_7z(self):
        folder = os.path.join(self.dir, "make")
        self.write("x/inner", "evil", folder)
        path = os.path.join(self.files, "a.7z")
        os.symlink(os.path.join(self.dir, "outside"), os.path.join(folder, "out"))
        self.run_tool("7z", "a", "-snl", path, "out", cwd=folder)
        os.unlink(os.path.join(folder, "out"))
        os.rename(os.path.join(folder, "x"), os.path.join(folder, "out"))
        # The same name again: first a link, then a folder with a file in it.
        self.run_tool("7z", "a", path, "out/inner", cwd=folder)
        self.attack("file://a.7z")

    @needs("cpio", "rpm2cpio")
    def test_rpm(self):
        # What would convert the rpm hands out a hostile archive.
        tools = os.path.join(self.dir, "tools")
        script = self.write("rpm2cpio.sh", "#!/bin/sh\ncd %s/make; printf 'out\\nout/inner\\n../victim\\n' | cpio -o "
                            "-H newc 2>/dev/null\n" % self.dir, tools)
        os.chmod(script, 0o755)
        self.write("inner", "evil", os.path.join(self.dir, "make", "out"))
        self.d.setVar("PATH", tools + ":" + os.environ["PATH"])
        self.write("a.rpm", "x")
        self.attack("file://a.rpm")

    @needs("gzip")
    def test_a_bomb_ends_at_the_limit(self):
        """Archives that unpack to more than a task may write fail it, and leave no file that looks whole."""
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        path = self.write("zeros", bytes(8 << 20))
        subprocess.run(["gzip", "-k", path], check=True)
        subprocess.run(["tar", "czf", "b.tar.gz", "zeros"], cwd=self.files, check=True)
        self.addCleanup(resource.setrlimit, resource.RLIMIT_FSIZE, (soft, hard))
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, hard))
        for url in ("file://zeros.gz", "file://b.tar.gz"):
            with self.assertRaisesRegex(bb.fetch2.UnpackError, os.path.basename(url)):
                self.fetch(url)
            self.assertFalse(os.path.exists(os.path.join(self.out, "zeros")) and url.endswith("zeros.gz"), url)

    def test_a_link_from_an_archive_is_not_written_through(self):
        url = self.tar(("victim-link", tarfile.SYMTYPE, os.path.join(self.dir, "victim")))
        self.write("victim-link", "evil")
        self.attack(url + " file://victim-link")
        self.d.setVar("SRC_URI", "")
        self.fetch(url, "file://victim-link")
        with open(os.path.join(self.dir, "victim")) as stream:
            self.assertEqual(stream.read(), "untouched")
