"""git over smart HTTP: a request handler that asks git's own CGI program, and hands out large files (LFS)."""

import gzip
import http.server
import json
import os
import subprocess


class GitBackend(http.server.BaseHTTPRequestHandler):
    """Serves all repositories below `server.root`."""

    def _answer(self):
        path, _, query = self.path.partition("?")
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        if "/info/lfs/" in path:
            return self._large_files(path, body)
        environment = dict(os.environ, GIT_PROJECT_ROOT=self.server.root, GIT_HTTP_EXPORT_ALL="1", PATH_INFO=path,
                           QUERY_STRING=query, REQUEST_METHOD=self.command, REMOTE_ADDR="127.0.0.1",
                           CONTENT_TYPE=self.headers.get("Content-Type", ""), CONTENT_LENGTH=str(len(body)),
                           GIT_PROTOCOL=self.headers.get("Git-Protocol", ""))
        output = subprocess.run(["git", "http-backend"], input=body, env=environment, stdout=subprocess.PIPE,
                                stderr=subprocess.DEVNULL, check=False).stdout
        head, _, content = output.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n") if ": " in line)
        self.send_response(int(headers.pop("Status", "200").split()[0]))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = _answer

    def _large_files(self, path, body):
        """The batch API of Git LFS, for downloads, and the objects themselves."""
        repository, _, rest = path.partition("/info/lfs/")
        if rest == "objects/batch":
            here = "http://%s%s/info/lfs/" % (self.headers["Host"], repository)
            objects = [dict(entry, authenticated=True, actions={"download": {"href": here + entry["oid"]}})
                       for entry in json.loads(body)["objects"]]
            data, kind = json.dumps({"transfer": "basic", "objects": objects}).encode(), "application/vnd.git-lfs+json"
        else:
            name = os.path.join(self.server.root, repository.lstrip("/"), "lfs", "objects", rest[:2], rest[2:4], rest)
            with open(name, "rb") as stream:
                data, kind = stream.read(), "application/octet-stream"
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args):
        """Quiet."""
