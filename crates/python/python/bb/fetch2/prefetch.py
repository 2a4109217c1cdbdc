"""Downloading all plain files of a recipe at the same time, before they are looked at one by one."""

import logging
import os

import bb.utils

from . import command, download, mirrors
from .errors import BBFetchException
from .url import mirror_from_string
from .wget import Wget

logger = logging.getLogger("BitBake.Fetcher")


def _wanted(fetch, ud, d, premirrors):
    """Whether the file is to be had from its own URL, and is not there yet."""
    if not isinstance(ud.method, Wget) or ud.type in ("ftp", "ftps") or not ud.lockfile:
        return False
    if os.path.exists(ud.localpath):
        return False
    url = ud.method.request_url(ud)
    if not url.startswith(("http://", "https://")) or not command.trusted_network(d, url):
        return False
    if premirrors and mirrors.build_mirroruris(ud, premirrors, d)[0]:
        # One after the other: the mirror may have it.
        return False
    return True


def download_all(fetch, uds, d):
    """Downloads what can be, several at a time; answers are kept on the FetchData for the fetcher to use.

    Each file is locked while it is downloaded, so that other processes wait for it.
    """
    if bb.utils.to_boolean(d.getVar("BB_NO_NETWORK")) or download.custom_tool(d) is not None:
        return
    premirrors = mirror_from_string(d.getVar("PREMIRRORS"))
    wanted = {}
    for ud in uds:
        if ud.localpath not in wanted and _wanted(fetch, ud, d, premirrors):
            wanted[ud.localpath] = ud
    settings = download.options(d)
    wanted = {target: ud for target, ud in wanted.items()
              if not download.through_proxy(ud.method.request_url(ud), settings)}
    if len(wanted) < 2:
        return
    jobs = []
    for target, ud in wanted.items():
        bb.utils.mkdirhier(os.path.dirname(target))
        jobs.append(download.job(ud, ud.method.request_url(ud), target, ud.lockfile))
    answers = download.run(jobs, settings, d)
    for ud, answer in zip(wanted.values(), answers):
        if "found" in answer:
            try:
                ud.found_checksums = download.complete(answer["found"], ud.localpath)
                with_lock(ud, lambda ud=ud: ud.method.update_donestamp(ud, d))
            except BBFetchException as error:
                logger.debug(str(error))
        elif not answer.get("present"):
            logger.debug("%s: %s" % (ud.url, answer.get("error")))
            ud.prefetched = answer


def with_lock(ud, function):
    """Calls `function` while holding the lock of the download."""
    lock = bb.utils.lockfile(ud.lockfile)
    try:
        return function()
    finally:
        bb.utils.unlockfile(lock)
