"""Real servers on loopback, each on a free port, for the time of a test."""

import http.server
import os
import shutil
import socket
import socketserver
import subprocess
import threading
import time

from fetch_tests.gitserver import GitBackend

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


def git_http(test, root):
    """git over smart HTTP for all repositories below `root`; its port."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), GitBackend)
    server.root = root
    threading.Thread(target=server.serve_forever, daemon=True).start()
    test.addCleanup(server.server_close)
    test.addCleanup(server.shutdown)
    return server.server_port


class _Ftp(socketserver.StreamRequestHandler):
    """As much of FTP (RFC 959) as a download needs; the login is me:secret or anonymous."""

    def handle(self):
        """One session."""
        self._say("220 ready")
        user, first, passive = "", 0, None
        for line in self.rfile:
            verb, _, text = line.decode().strip().partition(" ")
            verb, path = verb.upper(), os.path.join(self.server.root, text.lstrip("/"))
            if verb == "USER":
                user = text
                self._say("331 password")
            elif verb == "PASS":
                self._say("230 in" if user == "anonymous" or (user, text) == ("me", "secret") else "530 no")
            elif verb in ("PASV", "EPSV"):
                if passive:
                    passive.close()
                passive = socket.create_server(("127.0.0.1", 0))
                port = passive.getsockname()[1]
                self._say("229 (|||%d|)" % port if verb == "EPSV" else "227 (127,0,0,1,%d,%d)" % divmod(port, 256))
            elif verb == "REST":
                first = int(text)
                self._say("350 from there")
            elif verb in ("SIZE", "RETR") and not os.path.isfile(path):
                self._say("550 no such file")
            elif verb == "SIZE":
                self._say("213 %d" % os.path.getsize(path))
            elif verb == "RETR":
                self._say("150 coming")
                with passive.accept()[0] as data, open(path, "rb") as stream:
                    stream.seek(first)
                    self.server.sent.append(os.path.getsize(path) - first)
                    data.sendall(stream.read())
                self._say("226 done")
            else:
                self._say({"TYPE": "200 ok", "CWD": "250 ok", "PWD": '257 "/"', "SYST": "215 UNIX Type: L8",
                           "QUIT": "221 bye"}.get(verb, "502 no"))
        if passive:
            passive.close()

    def _say(self, text):
        self.wfile.write(text.encode() + b"\r\n")


def ftp(test, root):
    """An FTP server for all files below `root`: its port, and the list of the sizes it sent."""
    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Ftp)
    server.daemon_threads, server.block_on_close = True, False
    server.root, server.sent = root, []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    test.addCleanup(server.server_close)
    test.addCleanup(server.shutdown)
    return server.server_address[1], server.sent


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
