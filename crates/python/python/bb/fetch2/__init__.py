"""Fetching and unpacking sources: what `bb.fetch2` offers to metadata and tools.

The parts: `url` (URLs), `urldata` (one URL with its fetcher), `fetch` (a set of
them), `registry` (which fetcher serves which scheme), `method` (base class of
fetchers), one module for each fetcher, `revisions` (SRCREV and AUTOREV),
`checksums`, `filechecksums` (local files in signatures), `errors`.
"""

from .checksums import (CHECKSUM_LIST, SHOWN_CHECKSUM_LIST, rename_bad_checksum, update_stamp, verify_checksum,
                        verify_donestamp)
from .command import (FETCH_EXPORT_VARS, check_network_access, get_fetcher_environment, runfetchcmd, subprocess_setup,
                      trusted_network)
from .errors import (BBFetchException, ChecksumError, FetchError, LocalModificationsError, MalformedUrl,
                     MissingChecksumEvent, MissingParameterError, NetworkAccess, NoChecksumError, NoMethodError,
                     NonLocalMethod, ParameterError, RebaseError, UnpackError, UntrustedUrl)
from .fetch import Fetch, FetchConnectionCache, localpath
from .filechecksums import get_checksum_file_list
from .method import FetchMethod
from .mirrors import build_mirroruris, try_mirror_url, try_mirrors, uri_replace
from .registry import methods
from .revisions import (_get_srcrev, _revisions_cache, fetcher_compare_revisions, fetcher_init, fetcher_parse_done,
                        fetcher_parse_save, get_autorev, get_hashvalue, get_pkgv_string, get_srcrev,
                        mark_recipe_nocache, saved_headrevs, srcrev_internal_helper)
from .sources import sources
from .tracing import DummyUnpackTracer
from .url import URI, decodemirrorurl, decodeurl, encodeurl, mirror_from_string
from .urldata import FetchData


def __getattr__(name):
    """Fetchers' modules, imported when first asked for."""
    import importlib
    if not name.startswith("_"):
        try:
            return importlib.import_module("%s.%s" % (__name__, name))
        except ModuleNotFoundError as error:
            if error.name != "%s.%s" % (__name__, name):
                raise
    raise AttributeError("module %r has no attribute %r" % (__name__, name))
