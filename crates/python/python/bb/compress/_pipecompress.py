"""Files whose contents pass through a compressor running beside us."""

import builtins
import io
import os
import subprocess


class CompressionError(OSError):
    """The compressor failed."""


class PipeFile(io.RawIOBase):
    """Base of the compressed files; a subclass names the programs.

    `get_compress` and `get_decompress` give the command lines.
    """

    READ = 0
    WRITE = 1

    def __init__(self, filename=None, mode="rb", *, stderr=None, fileobj=None):
        super().__init__()
        if mode in ("r", "rb"):
            self.mode = PipeFile.READ
            own_mode = "rb"
        elif mode in ("w", "wb"):
            self.mode = PipeFile.WRITE
            own_mode = "wb"
        else:
            raise ValueError("Invalid mode %r" % mode)
        self.fileobj = builtins.open(filename, own_mode) if fileobj is None else fileobj

        reading = self.mode == PipeFile.READ
        self.p = subprocess.Popen(
            self.get_decompress() if reading else self.get_compress(),
            stdin=self.fileobj if reading else subprocess.PIPE,
            stdout=subprocess.PIPE if reading else self.fileobj,
            stderr=stderr, close_fds=True)
        self.pipe = self.p.stdout if reading else self.p.stdin
        self.__closed = False

    def get_compress(self):
        """The command that compresses its input to its output."""
        raise NotImplementedError()

    def get_decompress(self):
        """The command that decompresses its input to its output."""
        raise NotImplementedError()

    def _check_process(self):
        """Wait for the compressor; raise if it failed."""
        if self.p is None:
            return
        code = self.p.wait()
        self.p = None
        if code:
            raise CompressionError("Process died with %d" % code)

    def close(self):
        if self.__closed:
            return
        self.__closed = True
        try:
            if self.mode == PipeFile.READ and self.p is not None and self.p.poll() is None:
                # Whoever stops reading early does not want the rest.
                self.pipe.close()
                self.p.wait()
                self.p = None
            else:
                self.pipe.close()
                self._check_process()
        finally:
            # Of a pipe the other end waits until nobody holds this one.
            self.fileobj.close()
            super().close()

    @property
    def closed(self):
        return self.__closed

    def fileno(self):
        return self.pipe.fileno()

    def flush(self):
        if not self.__closed:
            self.pipe.flush()

    def isatty(self):
        return self.pipe.isatty()

    def readable(self):
        return self.mode == PipeFile.READ

    def writable(self):
        return self.mode == PipeFile.WRITE

    def readinto(self, b):
        if self.mode != PipeFile.READ:
            raise OSError("File not open for reading")
        data = os.read(self.pipe.fileno(), len(b))
        if not data:
            self._check_process()
        b[:len(data)] = data
        return len(data)

    def write(self, data):
        if self.mode != PipeFile.WRITE:
            raise OSError("File not open for writing")
        size = self.pipe.write(data)
        if not data:
            self._check_process()
        return size


def open_wrap(cls, filename, mode="rb", *, encoding=None, errors=None, newline=None, **kwargs):
    """Open a compressed file, a name or an open file, in binary or text mode."""
    if "t" in mode:
        if "b" in mode:
            raise ValueError("Invalid mode: %r" % mode)
    else:
        for name, value in (("encoding", encoding), ("errors", errors), ("newline", newline)):
            if value is not None:
                raise ValueError("Argument %r not supported in binary mode" % name)
    own_mode = mode.replace("t", "")
    if isinstance(filename, (str, bytes, os.PathLike, int)):
        raw = cls(filename, own_mode, **kwargs)
    elif hasattr(filename, "read") or hasattr(filename, "write"):
        raw = cls(None, own_mode, fileobj=filename, **kwargs)
    else:
        raise TypeError("filename must be a str or bytes object, or a file")
    if "t" not in mode:
        return raw
    return io.TextIOWrapper(raw if raw.writable() else io.BufferedReader(raw), encoding, errors, newline)
