"""A web server on a free loopback port that counts, and behaves as badly as it is told to."""

import http.server
import threading


class WebServer:
    """Serves `files` (path -> bytes) for the time of a test.

    `chunk` and `pause` make it slow, `behave(handler, data)` answers instead where it returns true.
    `requests` are (verb, path, range header) in order.
    """

    def __init__(self, test, files, chunk=1 << 16, pause=0, behave=None):
        self.files, self.chunk, self.pause, self.behave = files, chunk, pause, behave
        self.requests = []
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        server.daemon_threads = True
        server.block_on_close = False
        server.web = self
        # A client that was killed leaves its connection in disorder.
        server.handle_error = lambda request, address: None
        self.port = server.server_port
        threading.Thread(target=server.serve_forever, daemon=True).start()
        test.addCleanup(server.server_close)
        test.addCleanup(server.shutdown)

    def url(self, path, more=""):
        """The URL of a file."""
        return "http://127.0.0.1:%d/%s%s" % (self.port, path, more)

    def downloads(self, path):
        """How often a file was asked for."""
        return sum(1 for verb, asked, _ in self.requests if verb == "GET" and asked == "/" + path)


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _answer(self):
        web = self.server.web
        wanted = self.headers.get("Range", "")
        web.requests.append((self.command, self.path, wanted))
        data = web.files.get(self.path.lstrip("/"))
        try:
            if web.behave and web.behave(self, data):
                self.close_connection = True
            elif data is None:
                self.send(404, b"")
            elif wanted.startswith("bytes="):
                self._part(data, int(wanted[len("bytes="):].partition("-")[0]))
            else:
                self.send(200, data)
        except (BrokenPipeError, ConnectionResetError):
            # The client was killed, or has enough.
            self.close_connection = True

    do_GET = do_HEAD = _answer

    def _part(self, data, first):
        if first >= len(data):
            self.send(416, b"")
        else:
            self.send(206, data[first:], ("Content-Range", "bytes %d-%d/%d" % (first, len(data) - 1, len(data))))

    def send(self, status, data, *headers, length=None):
        """An answer; `length` is what it says it has."""
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data) if length is None else length))
        self.end_headers()
        if self.command == "HEAD":
            return
        web = self.server.web
        for start in range(0, len(data), web.chunk):
            self.wfile.write(data[start:start + web.chunk])
            if web.pause:
                threading.Event().wait(web.pause)

    def log_message(self, *args):
        """Quiet."""
