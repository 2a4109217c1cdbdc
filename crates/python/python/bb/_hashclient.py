"""A client of the hash equivalence server (protocol OEHASHEQUIV 1.1)."""

import json
import socket

_GREETING = "OEHASHEQUIV 1.1"

# Longer messages go in pieces.
_LONGEST = 32 * 1024


class ConnectionClosed(ConnectionError):
    """The server ended the connection."""


class ServerError(Exception):
    """The server could not do what it was asked."""


class Client(object):
    """A connection; answers come in the order of questions."""

    def __init__(self, sock, username=None, password=None):
        self._socket = sock
        self._file = sock.makefile("rw", encoding="utf-8", newline="\n")
        self._mode = None
        self._write(_GREETING)
        self._write("")
        self._file.flush()
        if username:
            self._call({"auth": {"username": username, "token": password}})

    def close(self):
        """End the connection."""
        self._file.close()
        self._socket.close()

    def _write(self, line):
        self._file.write(line + "\n")

    def _read(self):
        line = self._file.readline()
        if not line.endswith("\n"):
            raise ConnectionClosed("connection to the hash equivalence server closed")
        return line[:-1]

    def _send(self, message):
        text = json.dumps(message)
        if len(text) < _LONGEST:
            self._write(text)
        else:
            self._write(json.dumps({"chunk-stream": None}))
            for start in range(0, len(text), _LONGEST):
                self._write(text[start:start + _LONGEST])
            self._write("")
        self._file.flush()

    def _receive(self):
        message = json.loads(self._read())
        if isinstance(message, dict) and "chunk-stream" in message:
            pieces = []
            while True:
                piece = self._read()
                if not piece:
                    break
                pieces.append(piece)
            message = json.loads("".join(pieces))
        if isinstance(message, dict) and "invoke-error" in message:
            raise ServerError(message["invoke-error"].get("message"))
        return message

    def _call(self, message):
        self._normal_mode()
        self._send(message)
        return self._receive()

    def _normal_mode(self):
        if self._mode is not None:
            self._write("END")
            self._file.flush()
            if self._read() != "ok":
                raise ServerError("hash equivalence server did not end a stream")
            self._mode = None

    def _stream(self, mode, lines):
        """Send lines in a stream mode; one answer for each."""
        if self._mode != mode:
            self._normal_mode()
            self._send({mode: None})
            if self._receive() != "ok":
                raise ServerError("hash equivalence server does not know `%s`" % mode)
            self._mode = mode
        answers = []
        for line in lines:
            self._write(line)
            self._file.flush()
            answers.append(self._read())
        return answers

    def get_unihash_batch(self, args):
        """The unihash of every (method, task hash), None where there is none."""
        return [answer or None for answer in self._stream("get-stream", ("%s %s" % pair for pair in args))]

    def get_unihash(self, method, taskhash):
        """The unihash of a task hash, or None."""
        return self.get_unihash_batch([(method, taskhash)])[0]

    def unihash_exists_batch(self, unihashes):
        """For every unihash whether the server knows it."""
        return [answer == "true" for answer in self._stream("exists-stream", unihashes)]

    def unihash_exists(self, unihash):
        """Whether the server knows a unihash."""
        return self.unihash_exists_batch([unihash])[0]

    def report_unihash(self, taskhash, method, outhash, unihash, extra={}):
        """Report the hash of a task's output; the answer says which unihash to use."""
        message = dict(extra, taskhash=taskhash, method=method, outhash=outhash, unihash=unihash)
        return self._call({"report": message})

    def report_unihash_equiv(self, taskhash, method, unihash, extra={}):
        """Report a unihash as equivalent to a task's; the answer says which unihash to use."""
        return self._call({"report-equiv": dict(extra, taskhash=taskhash, method=method, unihash=unihash)})


def connect(address, username=None, password=None):
    """Connect to `unix://PATH` or `HOST:PORT`."""
    if address.startswith("unix://"):
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        # The system limits the length of socket paths; from its directory the name is short.
        import os
        directory, name = os.path.split(address[len("unix://"):])
        before = os.getcwd()
        try:
            os.chdir(directory or ".")
            sock.connect(name)
        finally:
            os.chdir(before)
    elif address.startswith(("ws://", "wss://")):
        raise ServerError("cannot connect to `%s` from a task: websockets are not supported" % address)
    else:
        host, _, port = address.rpartition(":")
        sock = socket.create_connection((host.strip("[]"), int(port)))
    return Client(sock, username, password)
