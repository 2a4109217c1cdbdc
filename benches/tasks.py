#!/usr/bin/env python3
"""tasks.py BITZEL [BITBAKE]: what a task costs that does nothing: CPU and wall milliseconds.

Builds a recipe with 200 empty tasks, log, run file and stamp of each included, and one without; the difference
by the number of tasks, of shell and of Python tasks. Medians of RUNS (5). With BITBAKE, its program in a
checkout, it is measured in turn.
"""

import os
import statistics
import subprocess
import sys
import tempfile

TASKS = 200
RUNS = int(os.environ.get("RUNS", "5"))
MEASURE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "measure.py")

FILES = {
    "build/conf/bblayers.conf": 'BBPATH = "${TOPDIR}"\nBBLAYERS = "${TOPDIR}/../layer"\n',
    "layer/conf/layer.conf": """
BBPATH .= ":${LAYERDIR}"
BBFILES += "${LAYERDIR}/*.bb"
BBFILE_COLLECTIONS += "tiny"
BBFILE_PATTERN_tiny = "^${LAYERDIR}/"
LAYERSERIES_CORENAMES = "wrynose"
LAYERSERIES_COMPAT_tiny = "wrynose"
""",
    "layer/conf/bitbake.conf": """
PN = "${@bb.parse.vars_from_file(d.getVar('FILE', False), d)[0] or 'none'}"
PV = "1.0"
PROVIDES = "${PN}"
OVERRIDES = "pn-${PN}"
TMPDIR = "${TOPDIR}/tmp"
CACHE = "${TOPDIR}/cache"
PERSISTENT_DIR = "${TOPDIR}/cache"
WORKDIR = "${TMPDIR}/work/${PN}"
B = "${WORKDIR}"
T = "${WORKDIR}/temp"
STAMPS_DIR = "${TMPDIR}/stamps"
STAMP = "${STAMPS_DIR}/${PN}"
BB_SIGNATURE_HANDLER = "basichash"
BB_NUMBER_THREADS = "${@os.cpu_count()}"
""",
    "layer/classes/base.bbclass": "do_build() {\n:\n}\naddtask build\ndo_build[noexec] = '1'\n",
    "layer/nothing.bb": "",
    "layer/shell.bb": "".join(
        "do_t%d() {\n    :\n}\naddtask t%d before do_build\n" % (n, n) for n in range(TASKS)),
    "layer/python.bb": "".join(
        "python do_t%d() {\n    pass\n}\naddtask t%d before do_build\n" % (n, n) for n in range(TASKS)),
}


def measured(command, build, recipe):
    """CPU and wall seconds of a build of a recipe from nothing, with warm caches of recipes."""
    # Kept: file systems are slow for a while after many files were removed.
    if os.path.exists(build + "/tmp"):
        os.rename(build + "/tmp", tempfile.mkdtemp(dir=build))
    done = subprocess.run([sys.executable, MEASURE, *command, recipe], cwd=build, capture_output=True, text=True,
                          env={**os.environ, "BB_SERVER_TIMEOUT": "0"})
    if done.returncode:
        sys.exit(done.stderr)
    return [float(number) for number in done.stdout.split()[:2]]


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    programs = {"bitzel": [os.path.abspath(sys.argv[1]), "bitbake"]}
    if len(sys.argv) == 3:
        programs["bitbake"] = [os.path.abspath(sys.argv[2])]
    with tempfile.TemporaryDirectory() as folder:
        for name, text in FILES.items():
            path = os.path.join(folder, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w") as file:
                file.write(text)
        build = os.path.join(folder, "build")
        took = {}
        for run in range(RUNS + 1):
            for program, command in programs.items():
                for recipe in ("nothing", "shell", "python"):
                    times = measured(command, build, recipe)
                    # The first is for the caches.
                    if run:
                        took.setdefault((program, recipe), []).append(times)
    print("%-10s %-8s %12s %12s" % ("", "task", "CPU, ms", "wall, ms"))
    for program in programs:
        base = [statistics.median(column) for column in zip(*took[program, "nothing"])]
        for recipe in ("shell", "python"):
            each = [statistics.median(column) for column in zip(*took[program, recipe])]
            print("%-10s %-8s %12.1f %12.1f" % (
                program, recipe, *((one - none) * 1000 / TASKS for one, none in zip(each, base))))


if __name__ == "__main__":
    main()
