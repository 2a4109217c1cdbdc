"""Files compressed with zstd, by pzstd where several threads are asked for."""

import shutil

from bb.compress import _pipecompress


def open(*args, **kwargs):
    """Open a file; also takes `num_threads` and `compresslevel`."""
    return _pipecompress.open_wrap(ZstdFile, *args, **kwargs)


class ZstdFile(_pipecompress.PipeFile):
    """A file compressed with zstd."""

    def __init__(self, *args, num_threads=1, compresslevel=3, **kwargs):
        self.num_threads = num_threads
        self.compresslevel = compresslevel
        super().__init__(*args, **kwargs)

    def _get_zstd(self):
        if self.num_threads == 1 or not shutil.which("pzstd"):
            return ["zstd"]
        return ["pzstd", "-p", "%d" % self.num_threads]

    def get_compress(self):
        return self._get_zstd() + ["-c", "-%d" % self.compresslevel]

    def get_decompress(self):
        return self._get_zstd() + ["-d", "-c"]
