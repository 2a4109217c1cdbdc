"""Advisory file locks."""

import os
from contextlib import contextmanager

from bb.utils._files import mkdirhier
from bb.utils._log import logger

# Names longer than this are refused by common file systems.
_LONGEST_NAME = 255


def _shortened(name):
    """`name` with a base name that file systems accept: the end, with ".lock", is kept."""
    directory, base = os.path.split(name)
    if len(base) <= _LONGEST_NAME:
        return name
    root, suffix = os.path.splitext(base)
    short = os.path.join(directory, root[:_LONGEST_NAME - len(suffix)] + suffix)
    logger.warning("bb.utils.lockfile: lock name %s is too long, using %s", name, short)
    return short


def lockfile(name, shared=False, retry=True, block=False):
    """Lock the file `name`, making it and its directory if need be; what `unlockfile` takes, or None.

    `block` waits in the kernel; `retry` waits too, but signals are dealt with meanwhile.
    Without either, None says that somebody else holds the lock.
    """
    import errno
    import fcntl
    import time

    name = _shortened(name)
    directory = os.path.dirname(name)
    mkdirhier(directory)
    if not os.access(directory, os.W_OK):
        logger.error("Unable to acquire lock '%s', directory is not writable", name)
        raise SystemExit(1)

    operation = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    if not (retry or block):
        operation |= fcntl.LOCK_NB
    while True:
        file = None
        try:
            file = open(name, "a+")
            fcntl.flock(file.fileno(), operation)
            # The holder before us may have removed the file while we waited.
            if os.path.exists(name) and os.path.samestat(os.fstat(file.fileno()), os.stat(name)):
                return file
            file.close()
        except OSError as err:
            if file is not None:
                file.close()
            if err.errno == errno.ENOENT and not os.path.isdir(directory):
                raise
            if err.errno in (errno.EACCES, errno.ENAMETOOLONG, errno.EROFS):
                logger.error("Unable to acquire lock '%s', %s", name, err.strerror)
                raise SystemExit(1) from err
            if not retry:
                return None
            time.sleep(0.1)


def unlockfile(lf):
    """Give up a lock, and remove its file if nobody else holds it."""
    import fcntl
    try:
        # Only the last one to leave a shared lock gets it for itself.
        fcntl.flock(lf.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.unlink(lf.name)
    except OSError:
        pass
    fcntl.flock(lf.fileno(), fcntl.LOCK_UN)
    lf.close()


@contextmanager
def fileslocked(files, *args, **kwargs):
    """Hold the locks on `files` within a `with` block; other arguments go to `lockfile`."""
    held = []
    try:
        for name in files or []:
            lock = lockfile(name, *args, **kwargs)
            if lock is not None:
                held.append(lock)
        yield
    finally:
        for lock in reversed(held):
            unlockfile(lock)


@contextmanager
def lock_timeout(lock):
    """Hold a multiprocessing lock, with signals blocked; ends the process if it cannot be had in 5 minutes."""
    import signal
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    try:
        held = lock.acquire(timeout=5 * 60)
        if not held:
            logger.critical("Couldn't get the lock for 5 mins, timed out, exiting.")
            os._exit(1)
        try:
            yield held
        finally:
            lock.release()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)


@contextmanager
def lock_timeout_nocheck(lock):
    """Hold a multiprocessing lock if it can be had in 10 seconds; yields whether it could."""
    import signal
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    held = False
    try:
        held = lock.acquire(timeout=10)
        yield held
    finally:
        if held:
            lock.release()
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
