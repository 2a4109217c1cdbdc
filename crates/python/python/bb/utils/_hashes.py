"""Checksums of files, as hexadecimal text."""


def _hasher(method, filename):
    """Feed a file to the hash object `method`; its hexadecimal digest."""
    with open(filename, "rb") as file:
        while True:
            block = file.read(1 << 18)
            if not block:
                return method.hexdigest()
            method.update(block)


def md5_file(filename):
    """The MD5 checksum of a file."""
    import hashlib
    try:
        method = hashlib.md5(usedforsecurity=False)
    except TypeError:
        method = hashlib.md5()
    return _hasher(method, filename)


def sha1_file(filename):
    """The SHA-1 checksum of a file."""
    import hashlib
    return _hasher(hashlib.sha1(), filename)


def sha256_file(filename):
    """The SHA-256 checksum of a file."""
    import hashlib
    return _hasher(hashlib.sha256(), filename)


def sha384_file(filename):
    """The SHA-384 checksum of a file."""
    import hashlib
    return _hasher(hashlib.sha384(), filename)


def sha512_file(filename):
    """The SHA-512 checksum of a file."""
    import hashlib
    return _hasher(hashlib.sha512(), filename)


def goh1_file(filename):
    """The Go module checksum ("h1:", in hexadecimal) of a module's zip file, or of its go.mod file.

    Rule: `Hash1` of golang.org/x/mod/sumdb/dirhash.
    """
    import hashlib
    import zipfile
    lines = []
    if zipfile.is_zipfile(filename):
        with zipfile.ZipFile(filename) as archive:
            for name in sorted(archive.namelist()):
                with archive.open(name) as member:
                    digest = hashlib.sha256(member.read()).hexdigest()
                lines.append("%s  %s\n" % (digest, name))
    else:
        lines.append("%s  go.mod\n" % sha256_file(filename))
    return hashlib.sha256("".join(lines).encode("utf-8")).hexdigest()
