"""Files are found, copied, moved, removed and locked as metadata expects."""

import logging
import os
import subprocess
import tempfile
import unittest

import bb
import bb.compress.zstd
import bb.utils


class Files(unittest.TestCase):
    """Everything happens in a directory of its own."""

    def setUp(self):
        logging.disable(logging.CRITICAL)
        self.temporary = tempfile.TemporaryDirectory()
        self.dir = self.temporary.name

    def tearDown(self):
        self.temporary.cleanup()
        logging.disable(logging.NOTSET)

    def path(self, *parts):
        return os.path.join(self.dir, *parts)

    def write(self, name, text="data", mode=0o644):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name), "w") as file:
            file.write(text)
        os.chmod(self.path(name), mode)
        return self.path(name)

    def test_mkdirhier_takes_existing_directories_but_no_unexpanded_names(self):
        bb.utils.mkdirhier(self.path("a/b"))
        bb.utils.mkdirhier(self.path("a/b"))
        self.assertTrue(os.path.isdir(self.path("a/b")))
        with self.assertRaises(bb.BBHandledException):
            bb.utils.mkdirhier(self.path("${WORKDIR}/x"))
        self.assertEqual(os.listdir(self.dir), ["a"])

    def test_which_gives_the_first_hit_and_all_places_looked_at(self):
        self.write("one/tool")
        self.write("two/tool", mode=0o755)
        path = self.path("none") + ":" + self.path("one") + ":" + self.path("two")
        self.assertEqual(bb.utils.which(path, "tool"), self.path("one/tool"))
        self.assertEqual(bb.utils.which(path, "tool", 1), self.path("two/tool"))
        self.assertEqual(bb.utils.which(path, "tool", executable=True), self.path("two/tool"))
        self.assertEqual(bb.utils.which(path, "tool", history=True),
                         (self.path("one/tool"), [self.path("none/tool"), self.path("one/tool")]))
        self.assertEqual(bb.utils.which(path, "nope"), "")

    def test_remove_takes_patterns_and_options_are_no_files(self):
        self.write("x/a.o")
        self.write("x/b.o")
        bb.utils.remove(self.path("x/*.o"))
        self.assertEqual(os.listdir(self.path("x")), [])
        bb.utils.remove(self.path("x"), recurse=True)
        self.assertFalse(os.path.exists(self.path("x")))
        bb.utils.remove(self.path("x"), recurse=True)

    def test_recursive_removal_refuses_home_and_root(self):
        for path in ("/", "/home", "/home/somebody"):
            self.assertTrue(bb.utils._check_unsafe_delete_path(path))

    def test_copyfile_keeps_mode_and_time_and_copies_links_as_links(self):
        source = self.write("src", mode=0o640)
        os.utime(source, (1e9, 1e9))
        self.assertEqual(bb.utils.copyfile(source, self.path("dst")), 1e9)
        status = os.stat(self.path("dst"))
        self.assertEqual((status.st_mode & 0o777, status.st_mtime), (0o640, 1e9))
        os.symlink("src", self.path("link"))
        bb.utils.copyfile(self.path("link"), self.path("dst"))
        self.assertEqual(os.readlink(self.path("dst")), "src")
        self.assertIs(bb.utils.copyfile(self.path("nope"), self.path("y")), False)

    def test_movefile_moves_and_into_a_directory_keeps_the_name(self):
        os.makedirs(self.path("dir"))
        bb.utils.movefile(self.write("src"), self.path("dir"), newmtime=7)
        self.assertFalse(os.path.exists(self.path("src")))
        self.assertEqual(os.stat(self.path("dir/src")).st_mtime, 7)

    def test_break_hardlinks_makes_a_file_of_its_own(self):
        source = self.write("a")
        os.link(source, self.path("b"))
        self.assertTrue(bb.utils.break_hardlinks(source))
        self.assertEqual(os.stat(source).st_nlink, 1)

    def test_a_lock_is_exclusive_and_leaves_no_file(self):
        name = self.path("lock")
        lock = bb.utils.lockfile(name)
        self.assertIsNone(bb.utils.lockfile(name, retry=False))
        bb.utils.unlockfile(lock)
        self.assertFalse(os.path.exists(name))

    def test_shared_locks_can_be_held_together(self):
        name = self.path("lock")
        first = bb.utils.lockfile(name, shared=True)
        second = bb.utils.lockfile(name, shared=True, retry=False)
        self.assertIsNotNone(second)
        self.assertIsNone(bb.utils.lockfile(name, retry=False))
        bb.utils.unlockfile(first)
        self.assertTrue(os.path.exists(name))
        bb.utils.unlockfile(second)

    def test_compressed_files_read_back(self):
        with bb.compress.zstd.open(self.path("x.zst"), "wt", encoding="utf-8") as file:
            file.write("héllo\n")
        with bb.compress.zstd.open(self.path("x.zst"), "rt", encoding="utf-8") as file:
            self.assertEqual(file.read(), "héllo\n")

    def test_damaged_compressed_files_are_errors(self):
        path = self.write("bad", "junk")
        with self.assertRaises(OSError):
            with bb.compress.zstd.open(path, "rb", stderr=subprocess.DEVNULL) as file:
                file.read()


if __name__ == "__main__":
    unittest.main()
