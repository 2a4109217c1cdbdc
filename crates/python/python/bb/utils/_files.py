"""Finding, copying, moving and removing files."""

import os
import stat

import bb
from bb.utils._log import logger


def mkdirhier(directory):
    """Create a directory and its parents; an existing directory is fine.

    A path with an unexpanded `${` in it is a mistake and fatal.
    """
    if "${" in str(directory):
        bb.fatal("Directory name {} contains unexpanded bitbake variable. This may cause build failures "
                 "and WORKDIR polution.".format(directory))
    os.makedirs(directory, exist_ok=True)


def which(path, item, direction=0, history=False, executable=False):
    """The first `item` in the directories of the `:`-separated list `path`, or "".

    `direction` other than 0 searches backwards, `executable` wants an executable file.
    With `history` the answer is a pair: the file, and all paths looked at.
    """
    tried = []
    directories = (path or "").split(":")
    if direction != 0:
        directories.reverse()
    for directory in directories:
        candidate = os.path.join(directory, item)
        tried.append(candidate)
        if executable:
            found = os.path.isfile(candidate) and os.access(candidate, os.X_OK)
        else:
            found = os.path.exists(candidate)
        if found:
            candidate = os.path.abspath(candidate)
            return (candidate, tried) if history else candidate
    return ("", tried) if history else ""


def path_is_descendant(descendant, ancestor):
    """Whether `ancestor` is `descendant` or one of its parents, comparing inodes, not names."""
    wanted = os.stat(ancestor)
    current = descendant
    while True:
        here = os.stat(current)
        if os.path.samestat(here, wanted):
            return True
        parent = os.path.join(current, os.pardir)
        if os.path.samestat(here, os.stat(parent)):
            return False
        current = os.path.realpath(parent)


def is_path_on_nfs(path):
    """Whether `path` lies on an NFS mount."""
    import bb.process
    kind, _ = bb.process.run(["stat", "-f", "-c", "%T", path])
    return kind.strip() == "nfs"


def mkstemp(suffix=None, prefix=None, dir=None, text=False):
    """Like `tempfile.mkstemp`, with so long a random part in the name that NFS clients never clash."""
    import random
    import tempfile
    marker = "".join(random.SystemRandom().choice("abcdefghijklmnopqrstuvwxyz0123456789") for _ in range(20))
    if prefix is None:
        prefix = tempfile.gettempprefix()
    return tempfile.mkstemp(suffix=suffix, prefix=prefix + marker, dir=dir, text=text)


def _check_unsafe_delete_path(path):
    """Whether a recursive removal of `path` is too dangerous to be meant."""
    if not path:
        return False
    full = os.path.abspath(path)
    if full.startswith("//"):
        full = full[1:]
    return full in ("/", "/home", os.environ.get("HOME")) or os.path.dirname(full) == "/home"


def _refuse_unsafe(function, path, detail=""):
    if _check_unsafe_delete_path(path):
        raise Exception('bb.utils.%s: called with dangerous path "%s"%s, refusing to delete!'
                        % (function, path, detail))


def remove(path, recurse=False, ionice=False):
    """Remove the files matching a pattern, as `rm -f` does, or `rm -rf` with `recurse`."""
    if not path:
        return
    import glob
    if recurse:
        matches = glob.glob(path)
        for match in matches:
            _refuse_unsafe("remove", match, " and recurse=True")
        if matches:
            import subprocess
            command = ["ionice", "-c", "3"] if ionice else []
            # Options cannot be taken for files nor files for options: names starting with `-` get `./`.
            names = ["./" + match if match.startswith("-") else match for match in matches]
            # A shell would limit the length of the command line; so does execve.
            for start in range(0, len(names), 1000):
                subprocess.check_call(command + ["rm", "-rf"] + names[start:start + 1000])
        return
    for name in glob.glob(path):
        try:
            os.unlink(name)
        except FileNotFoundError:
            pass


def prunedir(topdir, ionice=False):
    """Remove a directory with all it holds; of a link only the link."""
    _refuse_unsafe("prunedir", topdir)
    remove(topdir, recurse=True, ionice=ionice)


def rename(src, dst):
    """Rename a file, copying it where both are on different file systems."""
    import errno
    try:
        os.rename(src, dst)
    except OSError as err:
        if err.errno != errno.EXDEV:
            raise
        # The target may be on another file system.
        import shutil
        shutil.move(src, dst)


def _stat_or_warn(function, path):
    try:
        return os.lstat(path)
    except OSError as err:
        logger.warning("%s: stat of %s failed (%s)", function, path, err)
        return None


def _give_attributes(path, sstat, link=False):
    """Give `path` the owner and (unless it is a link) the permissions in `sstat`."""
    os.lchown(path, sstat[stat.ST_UID], sstat[stat.ST_GID])
    if not link:
        os.chmod(path, stat.S_IMODE(sstat[stat.ST_MODE]))


def _remake_link(src, dest, sstat):
    """Make the link `dest` a copy of the link `src`; the new link's status."""
    target = os.readlink(src)
    if os.path.lexists(dest) and not os.path.isdir(dest):
        os.unlink(dest)
    os.symlink(target, dest)
    _give_attributes(dest, sstat, link=True)
    return os.lstat(dest)


def _set_mtime(dest, newmtime, sstat):
    """Set the modification time asked for, else keep the source's; the time that now holds."""
    if newmtime:
        os.utime(dest, (newmtime, newmtime))
        return newmtime
    os.utime(dest, (sstat[stat.ST_ATIME], sstat[stat.ST_MTIME]))
    return sstat[stat.ST_MTIME]


def _copy_special(function, src, dest):
    """Copy what is neither link nor plain file with cp; whether that worked."""
    import subprocess
    done = subprocess.run(["/bin/cp", "-f", "--", src, dest], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, universal_newlines=True)
    if done.returncode != 0:
        logger.warning("%s: failed to copy special file %s to %s (%s)", function, src, dest,
                       (done.returncode, done.stdout.strip()))
        return False
    return True


def _copy_plain(src, dest):
    """Copy contents beside `dest`, then put the copy in its place."""
    import shutil
    temporary = dest + "#new"
    try:
        shutil.copyfile(src, temporary)
        os.rename(temporary, dest)
    except OSError:
        if os.path.lexists(temporary):
            os.unlink(temporary)
        raise


def copyfile(src, dest, newmtime=None, sstat=None):
    """Copy a file with owner, permissions and modification time (or `newmtime`, in seconds).

    `sstat` is the source's status if it is known already. Gives the modification time,
    for a link the new link's status, and False (after a warning) if copying failed.
    """
    sstat = sstat or _stat_or_warn("copyfile", src)
    if sstat is None:
        return False
    mode = sstat[stat.ST_MODE]
    if stat.S_ISLNK(mode):
        try:
            return _remake_link(src, dest, sstat)
        except OSError as err:
            logger.warning("copyfile: failed to create symlink %s to %s (%s)", dest, src, err)
            return False
    if stat.S_ISREG(mode):
        try:
            _copy_plain(src, dest)
        except OSError as err:
            if isinstance(err, FileNotFoundError):
                raise
            logger.warning("copyfile: copy %s to %s failed (%s)", src, dest, err)
            return False
    elif not _copy_special("copyfile", src, dest):
        return False
    try:
        _give_attributes(dest, sstat)
    except OSError as err:
        logger.warning("copyfile: failed to chown/chmod %s (%s)", dest, err)
        return False
    return _set_mtime(dest, newmtime, sstat)


def movefile(src, dest, newmtime=None, sstat=None):
    """Move a file, across file systems too; arguments and answers are those of `copyfile`.

    Into a directory the file moves under its own name.
    """
    sstat = sstat or _stat_or_warn("movefile", src)
    if sstat is None:
        return False
    mode = sstat[stat.ST_MODE]
    if stat.S_ISLNK(mode):
        try:
            moved = _remake_link(src, dest, sstat)
            os.unlink(src)
            return moved
        except OSError as err:
            logger.warning("movefile: failed to move symlink %s to %s (%s)", src, dest, err)
            return False
    if os.path.isdir(dest) and not stat.S_ISDIR(mode):
        dest = os.path.join(dest, os.path.basename(src))
    try:
        os.rename(src, dest)
    except OSError as err:
        if not _move_by_copy(src, dest, mode, sstat, err):
            return False
    return _set_mtime(dest, newmtime, sstat)


def _move_by_copy(src, dest, mode, sstat, error):
    """Move by copying, after renaming failed with `error`; whether that worked."""
    import errno
    if error.errno != errno.EXDEV:
        if isinstance(error, FileNotFoundError):
            raise error
        logger.warning("movefile: failed to move %s to %s (%s)", src, dest, error)
        return False
    if not stat.S_ISREG(mode):
        import subprocess
        done = subprocess.run(["/bin/mv", "-f", "--", src, dest], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, universal_newlines=True)
        if done.returncode != 0:
            logger.warning("movefile: failed to move special file %s to %s (%s)", src, dest, done.stdout.strip())
        return done.returncode == 0
    try:
        _copy_plain(src, dest)
        _give_attributes(dest, sstat)
        os.unlink(src)
    except OSError as err:
        logger.warning("movefile: copy %s to %s failed (%s)", src, dest, err)
        return False
    return True


def break_hardlinks(src, sstat=None):
    """Make `src` a file of its own if it is one of several hard links; whether that worked."""
    try:
        sstat = sstat or os.stat(src)
    except OSError as err:
        logger.warning("break_hardlinks: stat of %s failed (%s)", src, err)
        return False
    if sstat[stat.ST_NLINK] == 1:
        return True
    return copyfile(src, src, sstat=sstat)
