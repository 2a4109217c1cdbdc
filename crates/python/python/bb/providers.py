"""Choosing what provides a name.

`dataCache` holds the data of all recipes of a configuration (see `bb.tinfoil`), keyed by
file; versions are (PE, PV, PR).
"""

import logging
import re
from collections import defaultdict

from bb import BBHandledException
from bb.utils import vercmp

logger = logging.getLogger("BitBake.Provider")

regexp_cache = {}


class NoProvider(BBHandledException):
    """Nothing provides a build-time name."""


class NoRProvider(BBHandledException):
    """Nothing provides a runtime name."""


class MultipleRProvider(BBHandledException):
    """Several recipes provide a runtime name, and none is preferred."""


def allProviders(dataCache):
    """((version), file) of every recipe, by PN."""
    found = defaultdict(list)
    for fn, pn in dataCache.pkg_fn.items():
        found[pn].append((dataCache.pkg_pepvpr[fn], fn))
    return found


def sortPriorities(pn, dataCache, pkg_pn=None):
    """The files of a recipe in groups of falling layer priority, those in order of DEFAULT_PREFERENCE."""
    files = (pkg_pn or dataCache.pkg_pn)[pn]
    groups = defaultdict(list)
    for fn in files:
        groups[dataCache.bbfile_priority[fn]].append(fn)
    return [sorted(groups[priority], key=lambda fn: dataCache.pkg_dp[fn]) for priority in sorted(groups, reverse=True)]


def versionVariableMatch(cfgData, keyword, pn):
    """The value of PREFERRED_VERSION (`keyword` PREFERRED) or REQUIRED_VERSION for a recipe, or None.

    The variable `_PN` counts first, then the one with the override `pn-PN`, then the plain one.
    """
    variable = "%s_VERSION" % keyword
    return (cfgData.getVar("%s_%s" % (variable, pn)) or cfgData.getVar("%s:pn-%s" % (variable, pn))
            or cfgData.getVar(variable) or None)


def preferredVersionMatch(pe, pv, pr, preferred_e, preferred_v, preferred_r):
    """Whether a version is the one preferred, where absent parts match all and `%` ends a prefix."""
    if preferred_r is not None and pr != preferred_r:
        return False
    if preferred_e is not None and pe != preferred_e:
        return False
    if preferred_v is None or preferred_v == pv:
        return True
    return preferred_v.endswith("%") and pv.startswith(preferred_v[:-1])


_VERSION = re.compile(r"(?:(\d+):)?(.*?)(?:-(r\d+.*))?$")


def _wanted(cfgData, pn):
    """((epoch, version, revision) asked for, whether it is required, its text)."""
    required = versionVariableMatch(cfgData, "REQUIRED", pn)
    preferred = versionVariableMatch(cfgData, "PREFERRED", pn)
    if required is not None:
        if preferred is not None and preferred != required:
            logger.warning("REQUIRED_VERSION for package %s overrides PREFERRED_VERSION (%s vs. %s)", pn, required,
                           preferred)
        return _VERSION.match(required).groups(), True, required
    if preferred is not None:
        return _VERSION.match(preferred).groups(), False, preferred
    return None, False, None


def findPreferredProvider(pn, cfgData, dataCache, pkg_pn=None, item=None):
    """(version, file, whether required) of the recipe with the version asked for; None for both if there is none."""
    groups = sortPriorities(pn, dataCache, pkg_pn)
    wanted, required, text = _wanted(cfgData, pn)
    if wanted is None:
        return None, None, False
    for files in groups:
        for fn in files:
            pe, pv, pr = dataCache.pkg_pepvpr[fn]
            if preferredVersionMatch(pe, pv, pr, *wanted):
                return (pe, pv, pr), fn, required
    _report_missing(pn, text, required, groups, dataCache, item)
    return None, None, required


def _report_missing(pn, text, required, groups, dataCache, item):
    kind = "required" if required else "preferred"
    shown = " (for item %s)" % item if item and item != pn else ""
    available = sorted({_version_text(dataCache.pkg_pepvpr[fn]) for files in groups for fn in files})
    message = "%s version %s of %s not available%s" % (kind, text, pn, shown)
    listing = "versions of %s available: %s" % (pn, " ".join(available))
    if required:
        logger.warning(listing)
        logger.error(message)
    else:
        logger.warning(message)
        logger.warning(listing)


def _version_text(version):
    pe, pv, _ = version
    return "%s:%s" % (pe, pv) if pe else pv


def findLatestProvider(pn, cfgData, dataCache, file_set):
    """(version, file) of the highest version, DEFAULT_PREFERENCE first."""
    latest = latest_file = latest_preference = None
    for fn in file_set:
        version = dataCache.pkg_pepvpr[fn]
        preference = dataCache.pkg_dp[fn]
        if latest is None or (latest_preference == preference and vercmp(latest, version) < 0) \
                or preference > latest_preference:
            latest, latest_file, latest_preference = version, fn, preference
    return latest, latest_file


def findBestProvider(pn, cfgData, dataCache, pkg_pn=None, item=None):
    """(latest version, its file, version to build, its file, whether that is required) of a recipe."""
    groups = sortPriorities(pn, dataCache, pkg_pn)
    preferred, preferred_file, required = findPreferredProvider(pn, cfgData, dataCache, pkg_pn, item)
    latest, latest_file = findLatestProvider(pn, cfgData, dataCache, groups[0])
    if not required and preferred_file is None:
        preferred, preferred_file = latest, latest_file
    return latest, latest_file, preferred, preferred_file, required


def findProviders(cfgData, dataCache, pkg_pn=None):
    """By PN: (version, file) of the latest, of what to build, and whether that is required."""
    latest, preferred, required = {}, {}, {}
    for pn in pkg_pn or dataCache.pkg_pn:
        version, fn, chosen, chosen_fn, needed = findBestProvider(pn, cfgData, dataCache, pkg_pn)
        latest[pn] = (version, fn)
        preferred[pn] = (chosen, chosen_fn)
        required[pn] = needed
    return latest, preferred, required


def _filterProviders(providers, item, cfgData, dataCache):
    """One file for every recipe among providers, best first."""
    by_pn = {}
    for fn in providers:
        by_pn.setdefault(dataCache.pkg_fn[fn], []).append(fn)
    chosen = []
    for pn in by_pn:
        version, fn, required = findPreferredProvider(pn, cfgData, dataCache, by_pn, item)
        if fn is None and not required:
            _, fn = findLatestProvider(pn, cfgData, dataCache, sortPriorities(pn, dataCache, by_pn)[0])
        if fn is not None:
            chosen.append(fn)
    if not chosen:
        logger.debug("no buildable providers for %s" % item)
    return chosen


def filterProviders(providers, item, cfgData, dataCache):
    """(providers of a build-time name, best first; whether PREFERRED_PROVIDER decided)."""
    eligible = _filterProviders(providers, item, cfgData, dataCache)
    wanted = cfgData.getVar("PREFERRED_PROVIDER_%s" % item)
    if wanted:
        dataCache.preferred[item] = wanted
    decided = False
    for fn in list(eligible):
        if wanted and dataCache.pkg_fn[fn] == wanted:
            logger.verbose("selecting %s to satisfy %s due to PREFERRED_PROVIDERS", wanted, item)
            eligible.remove(fn)
            eligible.insert(0, fn)
            decided = True
            break
    return eligible, decided


def filterProvidersRunTime(providers, item, cfgData, dataCache):
    """(providers of a runtime name, best first; how many are preferred)."""
    eligible = _filterProviders(providers, item, cfgData, dataCache)
    wanted = cfgData.getVar("PREFERRED_RPROVIDER_%s" % item)
    preferred = []
    for fn in eligible:
        pn = dataCache.pkg_fn[fn]
        names = dataCache.pn_provides[pn]
        if wanted == pn or any(cfgData.getVar("PREFERRED_PROVIDER_%s" % name) == pn for name in names):
            preferred.append(fn)
    for fn in reversed(preferred):
        eligible.remove(fn)
        eligible.insert(0, fn)
    return eligible, len(preferred)


def getRuntimeProviders(dataCache, rdepend):
    """The files that provide a runtime name: as RPROVIDES, as a package, or by PACKAGES_DYNAMIC."""
    if rdepend in dataCache.rproviders:
        return dataCache.rproviders[rdepend]
    if rdepend in dataCache.packages:
        return dataCache.packages[rdepend]
    found = []
    for pattern, files in dataCache.packages_dynamic.items():
        if pattern not in regexp_cache:
            try:
                regexp_cache[pattern] = re.compile(pattern)
            except re.error:
                logger.error("Error parsing regular expression '%s'", pattern)
                raise
        if regexp_cache[pattern].match(rdepend):
            found += files
            logger.debug("Assuming %s is a dynamic package, but it may not exist" % rdepend)
    return found
