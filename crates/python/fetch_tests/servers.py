"""Real servers on loopback, each on a free port, for the time of a test."""

import gzip
import http.server
import os
import shutil
import socket
import subprocess
import threading
import time

_SBIN = os.environ.get("PATH", "") + ":/usr/sbin:/usr/lib/git-core"


def free_port():
    """A port nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start(test, words, port, **options):
    """Starts a server and waits until it answers; it ends with the test. Skips the test if it does not start."""
    words = [shutil.which(words[0], path=_SBIN) or words[0], *words[1:]]
    log = open(os.path.join(test.dir, "server.log"), "wb")
    process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log, **options)

    def stop():
        process.terminate()
        process.wait()
        log.close()
    test.addCleanup(stop)
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return process
        except OSError:
            if process.poll() is not None:
                break
            time.sleep(0.05)
    with open(log.name, errors="replace") as stream:
        test.skipTest("%s does not start here: %s" % (words[0], stream.read()[-300:]))


def nginx(test, root):
    """nginx serving `root`: plain, `/private/` with a login (me:secret), `/moved/` redirected, and over TLS.

    The ports of http and https, and the certificate's file.
    """
    folder = os.path.join(test.dir, "nginx")
    os.makedirs(os.path.join(folder, "logs"), exist_ok=True)
    port, secure = free_port(), free_port()
    certificate = os.path.join(folder, "cert.pem")
    test.run_tool("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout",
                  os.path.join(folder, "key.pem"), "-out", certificate, "-days", "2", "-subj", "/CN=localhost",
                  "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-addext", "basicConstraints=CA:FALSE")
    test.write("passwd", "me:{PLAIN}secret\n", folder)
    test.write("nginx.conf", """
daemon off; pid %(folder)s/pid; error_log %(folder)s/error.log; worker_processes 1; %(user)s
events { worker_connections 64; }
http {
  access_log %(folder)s/access.log;
  client_body_temp_path %(folder)s/t1; proxy_temp_path %(folder)s/t2; fastcgi_temp_path %(folder)s/t3;
  uwsgi_temp_path %(folder)s/t4; scgi_temp_path %(folder)s/t5;
  server {
    listen 127.0.0.1:%(port)d; listen 127.0.0.1:%(secure)d ssl;
    ssl_certificate %(folder)s/cert.pem; ssl_certificate_key %(folder)s/key.pem;
    root %(root)s; autoindex on;
    location /private/ { auth_basic "x"; auth_basic_user_file %(folder)s/passwd; alias %(root)s/; }
    location /moved/ { rewrite ^/moved/(.*)$ /$1 redirect; }
  }
}
""" % {"folder": folder, "port": port, "secure": secure, "root": root,
            "user": "user root;" if os.getuid() == 0 else ""}, folder)
    start(test, ["nginx", "-p", folder, "-c", os.path.join(folder, "nginx.conf")], port)
    return port, secure, certificate


def git_daemon(test, root):
    """git's own server for all repositories below `root`; its port."""
    port = free_port()
    start(test, ["git", "daemon", "--base-path=" + root, "--export-all", "--reuseaddr", "--listen=127.0.0.1",
                 "--port=%d" % port, root], port)
    return port


class _GitBackend(http.server.BaseHTTPRequestHandler):
    """Hands requests to git's CGI program."""

    def _answer(self):
        path, _, query = self.path.partition("?")
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
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

    def log_message(self, *args):
        """Quiet."""


def git_http(test, root):
    """git over smart HTTP for all repositories below `root`; its port."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _GitBackend)
    server.root = root
    threading.Thread(target=server.serve_forever, daemon=True).start()
    test.addCleanup(server.server_close)
    test.addCleanup(server.shutdown)
    return server.server_port


def svnserve(test, root):
    """Subversion's server for all repositories below `root`; its port."""
    port = free_port()
    start(test, ["svnserve", "--daemon", "--foreground", "--root", root, "--listen-host", "127.0.0.1",
                 "--listen-port", str(port)], port)
    return port


def hg_serve(test, repository):
    """Mercurial's server for one repository; its port."""
    port = free_port()
    start(test, ["hg", "serve", "-a", "127.0.0.1", "-p", str(port), "-R", repository], port)
    return port


def sshd(test):
    """An ssh server that lets this user in by key; its port and a client configuration."""
    folder = os.path.join(test.dir, "ssh")
    os.mkdir(folder, 0o700)
    for name in ("host", "user"):
        test.run_tool("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", os.path.join(folder, name))
    port = free_port()
    config = test.write("sshd_config", "HostKey %s/host\nAuthorizedKeysFile %s/user.pub\nStrictModes no\nUsePAM no\n"
                        "PasswordAuthentication no\nPermitRootLogin yes\nPidFile none\nListenAddress 127.0.0.1\n"
                        "Subsystem sftp internal-sftp\n" % (folder, folder), folder)
    if os.getuid() == 0:
        os.makedirs("/run/sshd", exist_ok=True)
    start(test, ["sshd", "-D", "-e", "-f", config, "-p", str(port)], port)
    client = test.write("config", "Host *\nIdentityFile %s/user\nStrictHostKeyChecking no\n"
                        "UserKnownHostsFile /dev/null\nLogLevel ERROR\n" % folder, folder)
    return port, client
