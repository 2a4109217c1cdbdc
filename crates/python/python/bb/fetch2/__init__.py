"""Fetching and unpacking sources: what `bb.fetch2` offers to metadata and tools.

The parts: `url` (URLs), `urldata` (one URL with its fetcher), `fetch` (a set of
them), `registry` (which fetcher serves which scheme), `method` (base class of
fetchers), one module for each fetcher, `revisions` (SRCREV and AUTOREV),
`checksums`, `filechecksums` (local files in signatures), `errors`.
"""

from .checksums import CHECKSUM_LIST, SHOWN_CHECKSUM_LIST
from .errors import (BBFetchException, ChecksumError, FetchError, LocalModificationsError, MalformedUrl,
                     MissingChecksumEvent, MissingParameterError, NetworkAccess, NoChecksumError, NoMethodError,
                     NonLocalMethod, ParameterError, RebaseError, UnpackError, UntrustedUrl)
from .fetch import Fetch, localpath
from .filechecksums import get_checksum_file_list
from .method import FetchMethod
from .registry import methods
from .revisions import (_get_srcrev, _revisions_cache, fetcher_compare_revisions, fetcher_init, fetcher_parse_done,
                        fetcher_parse_save, get_autorev, get_hashvalue, get_pkgv_string, get_srcrev,
                        mark_recipe_nocache, saved_headrevs, srcrev_internal_helper)
from .url import URI, decodemirrorurl, decodeurl, encodeurl, mirror_from_string
from .urldata import FetchData
