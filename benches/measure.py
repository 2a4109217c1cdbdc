"""measure.py COMMAND...: runs a command; prints CPU seconds, wall seconds and peak MiB of it
and of every process it starts, daemons included, which are waited for.

CPU is what the system counts for the processes; memory is the sum of their proportional set
sizes, looked at 20 times a second. The command's output goes to stderr.
"""

import ctypes
import os
import resource
import subprocess
import sys
import time

PR_SET_CHILD_SUBREAPER = 36


def descendants():
    """Processes whose chain of parents leads here."""
    parents = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open("/proc/%s/stat" % entry) as stat:
                    parents[int(entry)] = int(stat.read().rpartition(")")[2].split()[1])
            except OSError:
                continue
    found, wanted = [], {os.getpid()}
    while wanted:
        wanted = {pid for pid, parent in parents.items() if parent in wanted}
        found.extend(wanted)
    return found


def memory(pids):
    """Proportional set sizes in KiB, summed."""
    total = 0
    for pid in pids:
        try:
            with open("/proc/%d/smaps_rollup" % pid) as lines:
                total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
        except OSError:
            continue
    return total


def main():
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        sys.exit("cannot become the parent of daemons: %s" % os.strerror(ctypes.get_errno()))
    begin = time.monotonic()
    command = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL, stdout=sys.stderr)
    wall, peak, status = None, 0, None
    while True:
        peak = max(peak, memory(descendants()))
        try:
            while True:
                pid, ended = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    break
                if pid == command.pid:
                    wall, status = time.monotonic() - begin, ended
        except ChildProcessError:
            break
        time.sleep(0.05)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print("%.2f %.2f %d" % (used.ru_utime + used.ru_stime, wall, peak // 1024))
    sys.exit(os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    main()
