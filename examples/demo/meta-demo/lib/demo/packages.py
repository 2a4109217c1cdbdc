"""Packages: an archive of files each, and a record of what they need at run time."""

import fnmatch
import json
import os

import bb
from . import archive


def package_path(package, d):
    """Where the archive of a package is."""
    return os.path.join(d.getVar("DEPLOY_DIR"), "packages", package + ".tar")


def record_path(package, d):
    """Where the record of a package is."""
    return os.path.join(d.getVar("PKGDATA_DIR"), package + ".json")


def matches(name, patterns):
    """Whether a file, or a folder it lies in, is named by one of the patterns."""
    parts = name.split("/")
    heads = ["/".join(parts[:i]) for i in range(1, len(parts) + 1)]
    return any(fnmatch.fnmatchcase(head, pattern) for head in heads for pattern in patterns)


def split(d):
    """Shares the installed files out to the PACKAGES, first come, first served."""
    root = d.getVar("D")
    left = [n for n in archive.names(root) if os.path.islink(os.path.join(root, n)) or not os.path.isdir(os.path.join(root, n))]
    for package in d.getVar("PACKAGES").split():
        patterns = (d.getVar("FILES:" + package) or "").split()
        files = [name for name in left if matches(name, patterns)]
        left = [name for name in left if name not in files]
        bb.utils.remove(package_path(package, d))
        if files:
            archive.write(package_path(package, d), root, files)
    if left:
        bb.fatal("Installed, but in no package: %s" % " ".join(left))


def write_records(d):
    """Writes a record for each package that has files."""
    for package in d.getVar("PACKAGES").split():
        bb.utils.remove(record_path(package, d))
        if os.path.exists(package_path(package, d)):
            with open(record_path(package, d), "w") as f:
                json.dump({"requires": sorted((d.getVar("RDEPENDS:" + package) or "").split())}, f)


def closure(packages, d):
    """The packages and all they need, each after what it needs."""
    done = []

    def visit(package, chain):
        if package in chain:
            bb.fatal("Packages need each other: %s" % " -> ".join(chain + [package]))
        if package in done:
            return
        if not os.path.exists(record_path(package, d)):
            bb.fatal("There is no package `%s`, needed by %s" % (package, chain[-1] if chain else "the image"))
        with open(record_path(package, d)) as f:
            for needed in json.load(f)["requires"]:
                visit(needed, chain + [package])
        done.append(package)

    for package in packages:
        visit(package, [])
    return done


def install(package, root, d):
    """Unpacks a package into a root file system."""
    archive.extract(package_path(package, d), root)
