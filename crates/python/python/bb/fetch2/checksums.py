"""Checksums of downloads: what is expected, what is found, and the `.done` stamps that remember it."""

import hashlib
import logging
import os
import pickle
import pickletools
import zipfile

import bb
import bb.event
import bb.utils

from .errors import ChecksumError, MissingChecksumEvent, NoChecksumError, redact

logger = logging.getLogger("BitBake.Fetcher")

# In the order a stamp holds them; `goh1` is Go's hash of the files in a module archive.
CHECKSUM_LIST = ["goh1", "md5", "sha256", "sha1", "sha384", "sha512"]
if bb.__version__.startswith("2.8."):
    CHECKSUM_LIST.remove("goh1")  # 2.8 has none
# Those shown to who has to add a checksum.
SHOWN_CHECKSUM_LIST = ["sha256"]


def _dirhash(lines):
    """Go's "h1" directory hash (golang.org/x/mod/sumdb/dirhash): of the sorted list of file hashes."""
    summary = hashlib.sha256()
    for name, digest in sorted(lines):
        summary.update(("%s  %s\n" % (digest, name)).encode("utf-8"))
    return summary.hexdigest()


def _goh1(path, sha256):
    """Of a module archive; anything else counts as a go.mod file."""
    if not zipfile.is_zipfile(path):
        return _dirhash([("go.mod", sha256)])
    lines = []
    with zipfile.ZipFile(path) as archive:
        for entry in archive.infolist():
            if entry.is_dir():
                continue
            digest = hashlib.sha256()
            with archive.open(entry) as member:
                for chunk in iter(lambda: member.read(1 << 20), b""):
                    digest.update(chunk)
            lines.append((entry.filename, digest.hexdigest()))
    return _dirhash(lines)


def compute(path, kinds=tuple(CHECKSUM_LIST)):
    """Checksums of a file, by kind, from one pass over it."""
    plain = [kind for kind in kinds if kind != "goh1"]
    if "goh1" in kinds and "sha256" not in plain:
        plain.append("sha256")
    digests = {kind: hashlib.new(kind) for kind in plain}
    with open(path, "rb") as stream:
        for chunk in iter(lambda: stream.read(1 << 20), b""):
            for digest in digests.values():
                digest.update(chunk)
    found = {kind: digest.hexdigest() for kind, digest in digests.items()}
    if "goh1" in kinds:
        found["goh1"] = _goh1(path, found["sha256"])
    return {kind: found[kind] for kind in kinds}


def expected(ud):
    """The checksums the recipe gives, by kind."""
    return {kind: value for kind, value in ((kind, getattr(ud, kind + "_expected", None)) for kind in CHECKSUM_LIST)
            if value}


def _recipe_lines(ud, found):
    return "\n".join('SRC_URI[%s] = "%s"' % (getattr(ud, kind + "_name"), found[kind])
                     for kind in SHOWN_CHECKSUM_LIST)


def verify_checksum(ud, d, precomputed={}, localpath=None, fatal_nochecksum=True):
    """Compares the download with the checksums of the recipe and returns all it has, by kind.

    `precomputed` are checksums known already. Raises ChecksumError for a mismatch and,
    with BB_STRICT_CHECKSUM = "1", NoChecksumError if there is nothing to compare with;
    else that is a warning, or with "ignore" nothing.
    """
    if ud.ignore_checksums or not ud.method.supports_checksum(ud):
        return {}
    path = localpath or ud.localpath
    wanted = expected(ud)
    if all(kind in precomputed for kind in CHECKSUM_LIST):
        found = {kind: precomputed[kind] for kind in CHECKSUM_LIST}
    else:
        found = compute(path)

    if not wanted:
        if ud.method.recommends_checksum(ud):
            _report_missing(ud, d, path, found, fatal_nochecksum)
        return found
    error = mismatch(ud, path, found)
    if error:
        raise error
    return found


def mismatch(ud, path, found, kinds=CHECKSUM_LIST):
    """The error that says which checksums of `kinds` are not as expected, None if they are."""
    wanted = expected(ud)
    wrong = [kind for kind in CHECKSUM_LIST
             if kind in kinds and kind in wanted and wanted[kind].lower() != found[kind]]
    if not wrong:
        return None
    lines = ["File: '%s' has %s checksum '%s' when '%s' was expected" % (path, kind, found[kind], wanted[kind])
             for kind in wrong]
    return ChecksumError(
        "Checksum mismatch!\n%s\n"
        "If this change is expected (e.g. you have upgraded to a new version without updating the checksums) "
        "then you can use these lines within the recipe:\n%s\n"
        "Otherwise you should retry the download and/or check with upstream to determine if the file has become "
        "corrupted or otherwise unexpectedly modified." % ("\n".join(lines), _recipe_lines(ud, found)),
        ud.url, found[wrong[0]])


def _report_missing(ud, d, path, found, fatal):
    strict = d.getVar("BB_STRICT_CHECKSUM") or "0"
    if strict == "ignore":
        return
    lines = _recipe_lines(ud, found)
    bb.event.fire(MissingChecksumEvent(ud.url, **{kind + "sum": found[kind] for kind in SHOWN_CHECKSUM_LIST}), d)
    if strict == "1":
        logger.error("Missing SRC_URI checksum, please add those to the recipe:\n%s" % lines)
        if fatal:
            raise NoChecksumError("Missing SRC_URI checksum", ud.url)
        return
    logger.warning("Missing checksum for '%s', consider adding at least one to the recipe:\n%s" % (path, lines))


# What a dictionary of texts is made of, as any Python 3 pickles it. Other things name code to run, or ask for memory.
_PLAIN = frozenset(("PROTO", "FRAME", "MARK", "EMPTY_DICT", "SETITEM", "SETITEMS", "BINUNICODE", "SHORT_BINUNICODE", "BINPUT",
                    "BINGET", "MEMOIZE", "STOP"))
_STAMP_SIZE = 1 << 16


def read_stamp(path):
    """The checksums in a stamp by kind, none if it has none or is not there."""
    try:
        with open(path, "rb") as stream:
            data = stream.read(_STAMP_SIZE)
        if not all(code.name in _PLAIN for code, _, _ in pickletools.genops(data)):
            return {}
        value = pickle.loads(data)
        return value if isinstance(value, dict) else {}
    except (OSError, EOFError, ValueError, OverflowError, KeyError, IndexError, TypeError, pickle.UnpicklingError):
        # An empty stamp says that the download was complete, and no more.
        return {}


def _write_stamp(path, found):
    """Readable by every Python 3 and the same for the same checksums: protocol 2, as BitBake."""
    # Who holds the lock of the download writes alone; what a killed one left is written over.
    temporary = path + ".tmp"
    with open(temporary, "wb") as stream:
        pickle.Pickler(stream, 2).dump(found)
    os.rename(temporary, path)


def verify_donestamp(ud, d, origud=None):
    """Whether the download is complete and has the checksums the recipe wants now.

    A file without stamp is accepted if its checksums are right, or if there are none to
    compare with: somebody put it there. A wrong one is put aside, so that it is fetched again.
    """
    if not ud.needdonestamp or (origud and not origud.needdonestamp):
        return True
    if not os.path.exists(ud.localpath):
        if os.path.exists(ud.donestamp):
            # Without its file a stamp says nothing.
            bb.utils.remove(ud.donestamp)
        return False
    if not ud.method.supports_checksum(ud) or (origud and not origud.method.supports_checksum(origud)):
        if not os.path.exists(ud.donestamp):
            return False
        # What is checked in other ways. A stamp that is older than its file is renewed.
        return True

    precomputed = {}
    if os.path.exists(ud.donestamp):
        # A file that changed after its stamp was written has to be looked at again.
        if os.path.getmtime(ud.donestamp) >= os.path.getmtime(ud.localpath):
            precomputed = read_stamp(ud.donestamp)
    try:
        wanted = origud or ud
        found = verify_checksum(wanted, d, precomputed, localpath=ud.localpath)
        if found and (found != precomputed or not os.path.exists(ud.donestamp)):
            _write_stamp(ud.donestamp, found)
        return True
    except ChecksumError as error:
        logger.warning("Checksum mismatch for local file %s\nCleaning and trying again." % ud.localpath)
        logger.debug(str(error))
        rename_bad_checksum(ud, error.checksum)
    bb.utils.remove(ud.donestamp)
    return False


def update_stamp(ud, d, precomputed=None):
    """Verifies the download and writes its stamp. Raises ChecksumError, with the wrong file put aside.

    `precomputed` are checksums computed while downloading.
    """
    if not ud.needdonestamp:
        return
    if os.path.exists(ud.donestamp):
        # Its time says when the download was last wanted.
        try:
            os.utime(ud.donestamp, None)
        except OSError:
            # In a DL_DIR of somebody else.
            pass
        return
    try:
        found = verify_checksum(ud, d, precomputed or {})
        _write_stamp(ud.donestamp, found)
    except ChecksumError as error:
        logger.warning("Checksum mismatch for local file %s\nCleaning and trying again." % ud.localpath)
        rename_bad_checksum(ud, error.checksum)
        raise


def rename_bad_checksum(ud, suffix):
    """Puts a wrong download aside as `NAME_bad-checksum_SUFFIX`."""
    if ud.localpath is None or not os.path.lexists(ud.localpath):
        return
    path = "%s_bad-checksum_%s" % (ud.localpath, suffix)
    bb.warn("Renaming %s to %s" % (redact(ud.localpath), path))
    try:
        os.rename(ud.localpath, path)
    except OSError as error:
        bb.warn("Renaming %s to %s failed: %s" % (ud.localpath, path, error.strerror))
