"""Asking the kernel: processes, users, networks, priorities."""

import os

from bb.utils._log import logger

IOPRIO_WHO_PROCESS = 1
IOPRIO_CLASS_SHIFT = 13

PR_SET_NAME = 15
PR_SET_PDEATHSIG = 1


class PrCtlError(Exception):
    """prctl(2) failed."""


def _libc():
    import ctypes
    return ctypes.CDLL("libc.so.6", use_errno=True)


def cpu_count():
    """The number of processors this process may use."""
    return len(os.sched_getaffinity(0))


def nonblockingfd(fd):
    """Make reading from a file descriptor return at once when there is nothing."""
    os.set_blocking(fd, False)


def set_process_name(name):
    """Set the name of this process that ps(1) shows; silently left alone where not possible."""
    try:
        import ctypes
        buffer = ctypes.create_string_buffer(name.encode("utf-8"))
        _libc().prctl(PR_SET_NAME, ctypes.byref(buffer), 0, 0, 0)
    except (OSError, AttributeError):
        pass


def signal_on_parent_exit(signame):
    """Have this process receive a signal, such as "SIGTERM", when its parent dies."""
    import signal
    number = getattr(signal, signame)
    result = _libc().prctl(PR_SET_PDEATHSIG, number)
    if result != 0:
        raise PrCtlError("prctl failed with error code %s" % result)


def ioprio_set(who, cls, value):
    """Set the I/O scheduling class and level of process `who`."""
    import platform
    numbers = {"x86_64": 251, "aarch64": 30, "riscv64": 30, "loongarch64": 30, "armv7l": 314,
               "ppc64": 273, "ppc64le": 273}
    machine = platform.machine()
    number = 289 if machine in ("i386", "i486", "i586", "i686") else numbers.get(machine)
    if number is None:
        logger.warning("Unable to set IO Prio for arch %s", machine)
        return
    if _libc().syscall(number, IOPRIO_WHO_PROCESS, who, value | cls << IOPRIO_CLASS_SHIFT) < 0:
        raise ValueError("Unable to set ioprio, syscall returned an error")


def is_local_uid(uid=""):
    """Whether a user (default: the present one) is in /etc/passwd, not merely known to a directory service."""
    wanted = str(uid) if uid != "" and uid is not None else str(os.getuid())
    with open("/etc/passwd", "r", encoding="utf-8", errors="surrogateescape") as file:
        for line in file:
            fields = line.split(":")
            if len(fields) > 2 and fields[2] == wanted:
                return True
    return False


def disable_network(uid=None, gid=None):
    """Take this process off the network by new user and network namespaces.

    Without permission for that nothing changes, which is logged as a debug message.
    """
    clone_newnet, clone_newuser = 0x40000000, 0x10000000
    if uid is None:
        uid = os.getuid()
    if gid is None:
        gid = os.getgid()
    if _libc().unshare(clone_newnet | clone_newuser) != 0:
        logger.debug("System doesn't support disabling network without admin privs")
        return
    with open("/proc/self/uid_map", "w") as file:
        file.write("%s %s 1" % (uid, uid))
    with open("/proc/self/setgroups", "w") as file:
        file.write("deny")
    with open("/proc/self/gid_map", "w") as file:
        file.write("%s %s 1" % (gid, gid))


def enable_loopback_networking():
    """Bring up the loopback device of this network namespace."""
    import fcntl
    import socket
    import struct
    siocsifflags, siocgifflags, iff_up, iff_running = 0x8914, 0x8913, 0x1, 0x40
    name = b"lo"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        answer = fcntl.ioctl(sock, siocgifflags, struct.pack("16sh14x", name, 0))
        flags = struct.unpack("16sh14x", answer)[1] | iff_up | iff_running
        fcntl.ioctl(sock, siocsifflags, struct.pack("16sh14x", name, flags))


def getstatusoutput(cmd):
    """`subprocess.getstatusoutput`."""
    import subprocess
    return subprocess.getstatusoutput(cmd)
