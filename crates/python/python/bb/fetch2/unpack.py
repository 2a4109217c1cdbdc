"""Unpacking: archives and files from DL_DIR, or named by `file://`, into a recipe's tree.

The tools do the work (tar, unzip, ...), started without a shell. They refuse to
write outside the folder they are started in; what does not is checked before.
"""

import os
import re
import shutil
import stat
import subprocess

import bb
import bb.utils

from . import tracing
from .errors import UnpackError

_TAR = ("tar", "x", "--no-same-owner")

# Suffixes of tar archives -> how to have them uncompressed.
_TARBALLS = (
    ((".tar",), ()),
    ((".tgz", ".tar.gz", ".tar.Z", ".tar.z"), ("-z",)),
    ((".tbz", ".tbz2", ".tar.bz2"), ("-j",)),
    ((".txz", ".tar.xz"), ("-J",)),
    ((".tar.lz",), ("--lzip",)),
    ((".tzst", ".tar.zst"), ("--zstd",)),
)
# Suffixes of single files -> the command that writes them uncompressed.
_COMPRESSED = (
    ((".gz", ".Z", ".z"), ("gzip", "-dc")),
    ((".bz2",), ("bzip2", "-dc")),
    ((".xz",), ("xz", "-dc")),
    ((".zst",), ("zstd", "--decompress", "--quiet", "--stdout")),
    ((".lz",), ("lzip", "-dc")),
)
_DEB_DATA = re.compile(r"data\.tar(\.(gz|xz|bz2|zst|lzma|lz))?/?$")


class _Job:
    """Unpacking one URL: where from, where to, and how tools are started."""

    def __init__(self, ud, rootdir, d):
        self.ud = ud
        self.d = d
        self.file = ud.localpath
        self.rootdir = rootdir
        self.params = ud.parm
        self.path = d.getVar("PATH")

    def _environment(self):
        environment = dict(os.environ)
        if self.path:
            environment["PATH"] = self.path
        return environment

    def tool(self, name):
        """Whether a tool is to be had."""
        return shutil.which(name, path=self.path)

    def run(self, argv, cwd, stdin=None, stdout=None):
        """Runs a tool. Raises UnpackError with what it printed."""
        environment = self._environment()
        try:
            process = subprocess.run(argv, cwd=cwd, env=environment, stdin=stdin or subprocess.DEVNULL,
                                     stdout=stdout or subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        except FileNotFoundError as error:
            raise UnpackError("Unpack command %s failed: %s is not installed" % (" ".join(argv), argv[0]),
                              self.ud.url) from error
        if process.returncode != 0:
            raise UnpackError("Unpack command %s failed with return value %s\n%s"
                              % (" ".join(argv), process.returncode, process.stderr.decode("utf-8", "replace")),
                              self.ud.url)
        return process.stdout

    def pipe(self, first, second, cwd):
        """Runs `first | second`. Raises UnpackError if either fails."""
        environment = self._environment()
        try:
            with subprocess.Popen(first, env=environment, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL) as source:
                try:
                    self.run(second, cwd, stdin=source.stdout)
                finally:
                    source.stdout.close()
                    code = source.wait()
        except FileNotFoundError as error:
            raise UnpackError("Unpack command %s failed: %s is not installed" % (" ".join(first), first[0]),
                              self.ud.url) from error
        # A reader that has all it needs may leave early: SIGPIPE is no failure.
        if code not in (0, -13):
            raise UnpackError("Unpack command %s failed with return value %s" % (" ".join(first), code), self.ud.url)


def unpack(ud, rootdir, d):
    """Unpacks the download of `ud` below `rootdir`, as the URL's parameters say. Raises UnpackError."""
    job = _Job(ud, rootdir, d)
    wanted = ud.parm.get("unpack")
    try:
        extract = bb.utils.to_boolean(wanted, True)
    except ValueError as error:
        bb.fatal("Invalid value for 'unpack' parameter for %s: %s" % (job.file, wanted if wanted else error))
    unpackdir = _unpack_folder(job)
    bb.note("Unpacking %s to %s/" % (job.file, unpackdir))
    kind, action = _action(job) if extract else (None, None)
    bb.utils.mkdirhier(unpackdir)
    tracing.tracer(d).unpack(kind or "file-copy", unpackdir)
    if action:
        action(job, unpackdir)
    else:
        _copy(job, unpackdir)


def _unpack_folder(job):
    """The folder to unpack to: `subdir` below the root."""
    subdir = job.params.get("subdir")
    if not subdir:
        return job.rootdir.rstrip("/") or "/"
    if os.path.isabs(subdir):
        root = os.path.realpath(job.rootdir).rstrip("/") + "/"
        if not (os.path.realpath(subdir) + "/").startswith(root):
            raise UnpackError("subdir argument isn't a subdirectory of unpack root %s" % job.rootdir, job.ud.url)
        folder = subdir
    else:
        folder = os.path.join(job.rootdir, subdir)
    if "${" in folder:
        bb.fatal("Directory name %s contains unexpanded bitbake variable. This may cause build failures and WORKDIR "
                 "polution." % folder)
    return folder.rstrip("/")


def _strip_option(job):
    level = job.params.get("striplevel")
    if level is None:
        return ()
    if not re.fullmatch(r"[0-9]+", level):
        raise UnpackError("Invalid striplevel parameter: %s" % level, job.ud.url)
    return ("--strip-components=%s" % level,)


def _action(job):
    """(kind, what unpacks the file), (None, None) for what is only copied."""
    name = job.file
    if os.path.isdir(name):
        return None, None
    for suffixes, options in _TARBALLS:
        if name.endswith(suffixes):
            return "archive-extract", lambda job, folder: _untar(job, folder, options)
    for suffixes, command in _COMPRESSED:
        if name.endswith(suffixes):
            return "archive-extract", lambda job, folder: _decompress(job, command)
    for suffixes, function in ((((".zip", ".jar")), _unzip), ((".rpm", ".srpm"), _unrpm), ((".deb", ".ipk"), _undeb),
                               ((".7z",), _un7z)):
        if name.endswith(suffixes):
            return "archive-extract", function
    return None, None


def untar(ud, folder, d, options):
    """Unpacks a tar archive with these options of tar to `folder`. Raises UnpackError."""
    _untar(_Job(ud, folder, d), folder, options)


def _untar(job, folder, options):
    job.run([*_TAR, *options, *_strip_option(job), "-f", job.file], folder)


def _decompress(job, command):
    # BitBake: the result lies in the root, `subdir` does not matter.
    target = os.path.join(job.rootdir, os.path.splitext(os.path.basename(job.file))[0])
    try:
        with open(target, "wb") as stream:
            job.run([*command, job.file], job.rootdir, stdout=stream)
    except UnpackError:
        # Half a file would pass for the whole.
        bb.utils.remove(target)
        raise


def _unzip(job, folder):
    try:
        dos = bb.utils.to_boolean(job.params.get("dos"), False)
    except ValueError as error:
        bb.fatal("Invalid value for 'dos' parameter for %s: %s" % (job.file, error))
    job.run(["unzip", "-q", "-o", *(["-a"] if dos else []), job.file], folder)


def _unrpm(job, folder):
    converter = "rpm2cpio.sh" if job.tool("rpm2cpio.sh") else "rpm2cpio"
    extract = job.params.get("extract")
    job.pipe([converter, job.file],
             ["cpio", "--no-absolute-filenames", "-id", "--quiet",
              # Names in the archive begin with a dot.
              *(["--", extract, "./" + extract.lstrip("/")] if extract else [])], folder)


def _undeb(job, folder):
    members = job.run(["ar", "t", job.file], folder).decode("utf-8", "replace").splitlines()
    for member in members:
        if _DEB_DATA.match(member):
            break
    else:
        raise UnpackError("deb/ipk package does not contain supported data.tar* file", job.ud.url)
    options = {"gz": ["-z"], "xz": ["-J"], "bz2": ["-j"], "zst": ["--zstd"], "lzma": ["--lzma"], "lz": ["--lzip"]}
    compression = options.get(member.rstrip("/").rpartition(".")[2], [])
    job.pipe(["ar", "p", job.file, member], [*_TAR, *compression, "-f", "-"], folder)


def _un7z(job, folder):
    _refuse_unsafe_7z(job)
    job.run(["7za", "x", "-y", job.file], folder)


def _refuse_unsafe_7z(job):
    """7za follows links it has unpacked: refuses archives whose entries lead outside."""
    path = unsafe_entry(job.run(["7za", "l", "-slt", "-y", job.file], None).decode("utf-8", "replace"))
    if path is not None:
        raise UnpackError("archive entry `%s` leads outside the folder to unpack to" % path, job.ud.url)


def unsafe_entry(listing):
    """The first path in what `7za l -slt` lists that is absolute or goes up, None if there is none."""
    for line in listing.partition("----------")[2].splitlines():
        if line.startswith("Path = "):
            path = line[len("Path = "):]
            if os.path.isabs(path) or ".." in path.split("/"):
                return path
    return None


def _copy(job, folder):
    """Copies a file or tree; of a `file://` URL with the folders its path names."""
    source = job.file
    destination = folder
    if job.ud.type == "file" and not job.ud.url.endswith("/"):
        # file://foo/bar/x lies below foo/bar.
        below = os.path.dirname(_relative_path(job))
        if below:
            destination = os.path.join(folder, below)
            bb.utils.mkdirhier(destination)
    try:
        info = os.stat(source)
    except OSError as error:
        raise UnpackError("cannot copy %s: %s" % (source, error.strerror), job.ud.url) from error
    if stat.S_ISREG(info.st_mode):
        _copy_file(source, os.path.join(destination, os.path.basename(source)), info)
        return
    job.run(["cp", "--force", "--preserve=timestamps", "--no-dereference", "--recursive", "-H", "--", source, "."],
            destination)


def _relative_path(job):
    path = job.ud.path
    return path.lstrip("/") if path.startswith("/") else path


def _copy_file(source, target, info):
    """As `cp --force --preserve=timestamps`: what is there is written over, its mode kept."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
    mode = stat.S_IMODE(info.st_mode)
    if os.path.islink(target):
        # Never write through a link that an archive brought.
        os.unlink(target)
    try:
        handle = os.open(target, flags, mode)
    except PermissionError:
        os.unlink(target)
        handle = os.open(target, flags, mode)
    with open(source, "rb") as reader, os.fdopen(handle, "wb") as writer:
        shutil.copyfileobj(reader, writer, 1 << 20)
    os.utime(target, ns=(info.st_atime_ns, info.st_mtime_ns))
