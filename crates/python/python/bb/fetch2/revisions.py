"""Revisions of source control systems: SRCREV, AUTOREV, SRCPV, and what signatures see of them."""

import json
import os
import re

import bb.utils

from .errors import FetchError

# Head revisions looked up by this process and those it forked from: key -> revision.
saved_headrevs = {}
_revisions_cache = {}


def _store_path(d):
    directory = d.getVar("PERSISTENT_DIR") or d.getVar("CACHE")
    return os.path.join(directory, "bitzel-headrevs.json") if directory else None


def _read_store(path):
    try:
        with open(path, encoding="utf-8") as stream:
            return json.load(stream)
    except (OSError, ValueError):
        return {}


def fetcher_init(d, servercontext=True):
    """Starts a build: forgets head revisions of AUTOREV unless BB_SRCREV_POLICY is `cache`."""
    policy = d.getVar("BB_SRCREV_POLICY") or "clear"
    if policy not in ("cache", "clear"):
        raise FetchError("Invalid SRCREV cache policy of: %s" % policy)
    path = _store_path(d)
    saved_headrevs.clear()
    if path and os.path.exists(path):
        saved_headrevs.update(_read_store(path))
        if policy == "clear" and servercontext:
            os.unlink(path)
    _revisions_cache.clear()
    if policy == "cache" or not servercontext:
        _revisions_cache.update(saved_headrevs)


def fetcher_compare_revisions(d):
    """Whether head revisions changed since the last build, as far as both looked them up."""
    return any(saved_headrevs.get(key, value) != value for key, value in _revisions_cache.items())


def fetcher_parse_save():
    """Part of BitBake's parser protocol; revisions are stored as they are found."""


def fetcher_parse_done():
    """Part of BitBake's parser protocol; revisions are stored as they are found."""


def mark_recipe_nocache(d):
    """Keeps the recipe out of the parse cache, as its revision may move."""
    if d.getVar("BB_SRCREV_POLICY") != "cache":
        d.setVar("BB_DONT_CACHE", "1")


def get_autorev(d):
    """The value of AUTOREV: a mark that the fetcher replaces by the head revision."""
    mark_recipe_nocache(d)
    d.setVar("__BBAUTOREV_SEEN", True)
    return "AUTOINC"


def remember(key, d, lookup):
    """The revision cached under `key`, or what `lookup()` finds.

    One build sees one revision however many processes ask: it is kept in a file
    in PERSISTENT_DIR too. DIFFERS: BitBake keeps it in its server's memory.
    """
    if key in _revisions_cache:
        return _revisions_cache[key]
    path = _store_path(d)
    if path is None:
        revision = lookup()
    else:
        bb.utils.mkdirhier(os.path.dirname(path))
        lock = bb.utils.lockfile(path + ".lock")
        try:
            store = _read_store(path)
            if key not in store:
                store[key] = lookup()
                temporary = "%s.%d" % (path, os.getpid())
                with open(temporary, "w", encoding="utf-8") as stream:
                    json.dump(store, stream, sort_keys=True)
                os.rename(temporary, path)
            revision = store[key]
        finally:
            bb.utils.unlockfile(lock)
    _revisions_cache[key] = revision
    return revision


def srcrev_internal_helper(ud, d, name):
    """The revision of the URL: from SRCREV_name, SRCREV or the `rev` parameter; AUTOREV is resolved."""
    pn = d.getVar("PN")
    attempts = []
    if name and pn:
        attempts.append("SRCREV_%s:pn-%s" % (name, pn))
    if name:
        attempts.append("SRCREV_%s" % name)
    if pn:
        attempts.append("SRCREV:pn-%s" % pn)
    attempts.append("SRCREV")

    srcrev = None
    for attempt in attempts:
        value = d.getVar(attempt)
        if value and value != "INVALID":
            srcrev = value
            break
    parmrev = ud.parm.get("rev")
    if parmrev is None and srcrev is None:
        parmrev = ud.parm.get("tag")
    if srcrev is None and parmrev is None:
        raise FetchError(
            "Please set a valid SRCREV for url %s (possible key names are %s, or use a ;rev=X URL parameter)"
            % (attempts, ud.url), ud.url)
    if srcrev is not None and parmrev is not None and srcrev != parmrev:
        raise FetchError("Conflicting revisions (%s from SRCREV and %s from the url) found, "
                         "please specify one valid value" % (srcrev, parmrev))
    revision = srcrev if srcrev is not None else parmrev
    if revision == "AUTOINC":
        d.setVar("__BBAUTOREV_ACTED_UPON", True)
        revision = ud.method.latest_revision(ud, d, name)
    return revision


def _scms(d):
    """FetchData of the URLs of SRC_URI that have a revision, in order, each once."""
    from . import registry
    from .urldata import FetchData

    d.setVar("__BBSRCREV_SEEN", "1")
    scms = {}
    for url in (d.getVar("SRC_URI") or "").split():
        if url in scms:
            continue
        scheme = url.partition(":")[0].lower()
        method = None if registry.methods else registry.builtin(scheme)
        if method is not None and (registry.is_local(method) or scheme in ("http", "https", "ftp")):
            # The common ones have no revision: no need to look any closer.
            continue
        ud = FetchData(url, d)
        if ud.method.supports_srcrev():
            scms[url] = ud
    if len(scms) > 1 and not d.getVar("SRCREV_FORMAT"):
        raise FetchError("The SRCREV_FORMAT variable must be set when multiple SCMs are used.\n"
                         "The SCMs are:\n%s" % "\n".join(scms))
    return list(scms.values())


def _revision(ud, d, method_name):
    autoinc, revision = getattr(ud.method, method_name)(ud, d, ud.name)
    return autoinc, revision


def _get_srcrev(d, method_name="sortable_revision"):
    """(text for PV, [revisions in full]); both empty where nothing has a revision."""
    found = [(ud.name,) + _revision(ud, d, method_name) for ud in _scms(d)]
    if not found:
        return "", []
    if len(found) == 1:
        text = found[0][2][:10]
    else:
        short = {name: revision[:10] for name, _, revision in found}
        names = sorted(short, key=len, reverse=True)
        text = re.sub("|".join(map(re.escape, names)), lambda m: short[m.group(0)], d.getVar("SRCREV_FORMAT"))
    if any(autoinc for _, autoinc, _ in found):
        text = "AUTOINC+" + text
    return text, [revision for _, _, revision in found]


def get_srcrev(d, method_name="sortable_revision"):
    """SRCPV: the short revision, or SRCREV_FORMAT with names replaced. FetchError if there is no SCM."""
    text, revisions = _get_srcrev(d, method_name)
    if not revisions:
        raise FetchError("SRCREV was used yet no valid SCM was found in SRC_URI")
    return text


def get_pkgv_string(d, method_name="sortable_revision"):
    """As get_srcrev(), empty where there is no SCM."""
    return _get_srcrev(d, method_name)[0]


def get_hashvalue(d, method_name="sortable_revision"):
    """Full revisions of all SCMs in SRC_URI, in order; part of do_fetch's signature."""
    return " ".join(_get_srcrev(d, method_name)[1])
