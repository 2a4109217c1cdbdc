"""Files compressed with lz4."""

from bb.compress import _pipecompress


def open(*args, **kwargs):
    """Open a file."""
    return _pipecompress.open_wrap(LZ4File, *args, **kwargs)


class LZ4File(_pipecompress.PipeFile):
    """A file compressed with lz4."""

    def get_compress(self):
        return ["lz4", "-z", "-c"]

    def get_decompress(self):
        return ["lz4", "-d", "-c"]
