"""The parameters URLs may have, to tell who mistyped one."""

import difflib

# Of the fetchers, of OpenEmbedded's classes (patches, kernel metadata), and of names that only recipes read.
KNOWN = frozenset(
    "apply bareclone branch date destsuffix dev dos downloadfilename externals extract goh1sum key kmeta lfs localpath "
    "manifest maxdate maxrev md5sum mindate minrev mod module name nobranch nocheckout nopegrevision notrev package "
    "patchdir patchname path_spec pnum proto protocol pswd rebaseable redirectauth remotepath repo rev scmdata sha1sum "
    "sha256sum sha384sum sha512sum srcdate srcrev ssh striplevel subdir subpath tag transportuser type unpack unpackpath "
    "usehead user version vob".split())


def mistyped(parameters):
    """[(name, the known one it resembles)] of the parameters that nobody knows but look like one."""
    found = []
    for name in parameters:
        if name not in KNOWN:
            meant = difflib.get_close_matches(name, KNOWN, 1, 0.8)
            if meant:
                found.append((name, meant[0]))
    return found
