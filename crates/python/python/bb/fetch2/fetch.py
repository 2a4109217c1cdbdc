"""`Fetch`: a set of URLs to be fetched, unpacked or looked at together."""

from .urldata import FetchData


class Fetch:
    """The URLs of a recipe.

    `urls` is a list; an empty one stands for SRC_URI. `ud` maps each URL to its
    FetchData. `cache` is accepted for BitBake's sake: nothing is shared between objects.
    """

    def __init__(self, urls, d, cache=True, localonly=False, connection_cache=None):
        if localonly and cache:
            raise Exception("bb.fetch2.Fetch.__init__: cannot set cache and localonly at same time")
        if not urls:
            urls = (d.getVar("SRC_URI") or "").split()
        self.urls = urls
        self.d = d
        self.ud = {}
        self.connection_cache = connection_cache
        for url in urls:
            if url not in self.ud:
                self.ud[url] = FetchData(url, d, localonly)

    def localpath(self, url):
        """Where the download of `url` is or will be."""
        if url not in self.urls:
            self.ud[url] = FetchData(url, self.d)
        ud = self.ud[url]
        ud.setup_localpath(self.d)
        return ud.localpath

    def localpaths(self):
        """Local paths of all URLs, in order."""
        return [self.localpath(url) for url in self.urls]


def localpath(url, d):
    """Where the download of `url` is or will be."""
    return Fetch([url], d).localpath(url)
