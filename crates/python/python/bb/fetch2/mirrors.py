"""PREMIRRORS, MIRRORS and SSTATE_MIRRORS: where else a URL may be had.

A mirror line is a pair of URLs. Each part of the first is a regular expression for
the same part of the URL sought; each part of the second is what to put there.
"""

import logging
import os
import re

import bb.utils

from . import checksums, command
from .errors import BBFetchException, ChecksumError, MalformedUrl, NetworkAccess, UntrustedUrl
from .url import decodemirrorurl, decodeurl, encodeurl

logger = logging.getLogger("BitBake.Fetcher")


def _mirror_name(host, path):
    return host.replace(":", ".") + path.replace("/", ".").replace("*", ".")


def _placeholders(text, values):
    # Longer names first: one is part of another.
    for name in sorted(values, key=len, reverse=True):
        text = text.replace(name, values[name].replace("\\", "\\\\"))
    return text


def _replace(find, replace, values, original):
    """The parts of `original` that a mirror line's scheme, host and path give; None if it does not apply."""
    # The scheme has to match as a whole, the rest from its beginning.
    if not re.match(find[0] + "$", original[0]):
        return None
    for index in (1, 2, 3, 4):
        if not re.match(find[index], original[index]):
            return None
    if not _params_match(find[5], original[5]):
        return None
    return [re.sub(find[index], _placeholders(replace[index], values), original[index], count=1) for index in (0, 1, 2)]


def _params_match(wanted, params):
    return all(name in params and params[name] is not None and re.match(value + "$", params[name])
               for name, value in wanted.items())


def uri_replace(ud, uri_find, uri_replace, replacements, d, mirrortarball=None):
    """The URL that the mirror line `uri_find uri_replace` gives for `ud`, None if it does not apply.

    `mirrortarball` is the name an SCM's tarball has, for mirrors that hold files.
    """
    if not ud.url or not uri_find or not uri_replace:
        logger.error("uri_replace: passed an undefined value, not replacing")
        return None
    original = decodeurl(ud.url)
    find = decodemirrorurl(uri_find)
    replace = decodeurl(uri_replace)
    if uri_replace.startswith("TYPE://"):
        # Taking a URL apart makes its scheme small.
        replace = ("TYPE", *replace[1:])
    # Of the URL in the recipe: that of a crate says more than the registry's.
    values = {"TYPE": ud.type, "HOST": ud.host, "PATH": ud.path, "BASENAME": ud.path.split("/")[-1],
              "MIRRORNAME": _mirror_name(ud.host, ud.path)}
    values.update(replacements or {})

    try:
        replaced = _replace(find, replace, values, original)
    except (re.error, IndexError) as error:
        # DIFFERS: BitBake dies of Python's error, which does not name the mirror.
        raise MalformedUrl(uri_find, "The mirror '%s %s' is no pattern with its replacement: %s"
                           % (uri_find, uri_replace, error)) from error
    if replaced is None:
        return None
    scheme, host, path = replaced
    # Credentials are for the host they were given for.
    user, password = replace[3], replace[4]
    other_kind = scheme != original[0]
    params = {} if mirrortarball and other_kind else original[5]
    for name, value in replace[5].items():
        params[name] = value if value is None else _placeholders(value, values)
    path = _with_file_name(path, _file_name(ud, mirrortarball, other_kind), original[2].split("/")[-1])
    if scheme != "file" or path.startswith("/"):
        path = re.sub("/{2,}", "/", path)
    result = encodeurl((scheme, host, path, user, password, params))
    return None if result == ud.url else result


def _file_name(ud, mirrortarball, other_kind):
    """The name a mirror has the download under; None where the path says it all."""
    if mirrortarball:
        return mirrortarball if other_kind else None
    if ud.localpath and ud.method.supports_checksum(ud):
        return os.path.basename(ud.localpath)
    return None


def _with_file_name(path, name, original_name):
    last = os.path.basename(path)
    if not name or last == name:
        return path
    if last and last == original_name:
        return os.path.join(os.path.dirname(path), name)
    return os.path.join(path, name)


def build_mirroruris(origud, mirrors, ld):
    """All URLs the mirror lines give for `origud`, mirrors of mirrors included: (urls, FetchData of each)."""
    from .urldata import FetchData

    urls, uds = [], []

    def add(ud, lines, tarballs):
        for line in lines:
            find, replace = line
            for tarball in tarballs:
                url = uri_replace(ud, find, replace, {}, ld, tarball)
                if not url or url in urls:
                    continue
                if not command.trusted_network(ld, url):
                    logger.debug("Mirror %s not in the list of trusted networks, skipping" % url)
                    continue
                # A mirror is looked at as this recipe's own source, but for revisions of its own.
                local = ld.createCopy()
                try:
                    newud = FetchData(url, local)
                    newud.ignore_checksums = True
                    newud.setup_localpath(local)
                except (BBFetchException, ValueError, ImportError) as error:
                    logger.debug("Mirror fetch failure for url %s (original url: %s): %s" % (url, origud.url, error))
                    continue
                urls.append(url)
                uds.append(newud)
                add(newud, [other for other in lines if other is not line], [None])

    add(origud, mirrors, origud.mirrortarballs or [None])
    return urls, uds


def try_mirrors(fetch, d, origud, mirrors, check=False):
    """Fetches from the first mirror that has it: where it then lies, None if none has. `check` only asks."""
    local = d.createCopy()
    _, uds = build_mirroruris(origud, mirrors, local)
    for ud in uds:
        result = try_mirror_url(fetch, origud, ud, local, check)
        if result:
            return result
    return None


def try_mirror_url(fetch, origud, ud, ld, check=False):
    """Fetches the mirror's URL `ud` in place of `origud`: where it then lies, or a false value."""
    lock = None
    if ud.lockfile and ud.lockfile != origud.lockfile:
        lock = bb.utils.lockfile(ud.lockfile)
    try:
        if check:
            found = ud.method.checkstatus(fetch, ud, ld)
            return ud.url if found else False
        return _fetch_from_mirror(origud, ud, ld)
    except NetworkAccess:
        raise
    except UntrustedUrl:
        logger.debug("Mirror url %s is not in the list of trusted networks" % ud.url)
        return False
    except ChecksumError as error:
        logger.warning("Mirror checksum failure for url %s (original url: %s)\nCleaning and trying again."
                       % (ud.url, origud.url))
        logger.warning(str(error))
        if error.checksum and not getattr(ud.method, "local", False):
            # DIFFERS: BitBake renames the file of a `file://` mirror; that is not ours.
            checksums.rename_bad_checksum(ud, error.checksum)
        return False
    except (BBFetchException, OSError) as error:
        logger.debug("Mirror fetch failure for url %s (original url: %s)" % (ud.url, origud.url))
        logger.debug(str(error))
        _clean(ud, ld)
        return False
    finally:
        if lock:
            bb.utils.unlockfile(lock)


def _clean(ud, ld):
    try:
        ud.method.clean(ud, ld)
    except (BBFetchException, OSError) as error:
        logger.debug("cannot remove what a failed mirror left: %s" % error)


def _fetch_from_mirror(origud, ud, ld):
    if not checksums.verify_donestamp(ud, ld, origud) or ud.method.need_update(ud, ld):
        ud.method.download(ud, ld)
        if hasattr(ud.method, "build_mirror_data"):
            ud.method.build_mirror_data(ud, ld)
    if not ud.localpath or not os.path.exists(ud.localpath):
        return False
    if ud.localpath == origud.localpath:
        if checksums.expected(origud):
            # DIFFERS: the next mirror is asked where this one has another file; BitBake gives up.
            checksums.update_stamp(origud, ld)
        return ud.localpath
    # The mirror has it elsewhere, or in another form.
    dldir = ld.getVar("DL_DIR")
    name = os.path.basename(ud.localpath)
    if name in origud.mirrortarballs:
        # A tarball of a repository: put it where the repository's fetcher looks for it.
        tarball = os.path.join(dldir, name)
        if not os.path.islink(tarball) or os.readlink(tarball) != ud.localpath:
            ensure_symlink(ud.localpath, tarball)
        origud.method.download(origud, ld)
        if hasattr(origud.method, "build_mirror_data"):
            origud.method.build_mirror_data(origud, ld)
        return origud.localpath
    origud.method.update_mirror_links(ud, origud)
    checksums.update_stamp(origud, ld)
    return ud.localpath


def ensure_symlink(target, link_name):
    """Makes `link_name` a link to `target` unless something is there that is no dead link."""
    if target == link_name:
        return
    if os.path.islink(link_name) and (not os.path.exists(link_name) or os.readlink(link_name) != target):
        os.unlink(link_name)
    if not os.path.lexists(link_name):
        bb.utils.mkdirhier(os.path.dirname(link_name))
        try:
            os.symlink(target, link_name)
        except FileExistsError:
            # Another process made it just now.
            pass
