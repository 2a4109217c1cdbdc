"""Running the tools that fetch: their environment, and whether they may use the network."""

import logging
import os
import shlex
import signal
import urllib.parse

import bb.process
import bb.utils

from .errors import FetchError, NetworkAccess, UntrustedUrl, redact
from .url import decodeurl

logger = logging.getLogger("BitBake.Fetcher")

# What a tool gets of the user's environment: proxies, keys, agents (BitBake manual, BB_ENV_PASSTHROUGH).
FETCH_EXPORT_VARS = [
    "HOME", "PATH", "HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "FTP_PROXY", "ftp_proxy",
    "FTPS_PROXY", "ftps_proxy", "NO_PROXY", "no_proxy", "ALL_PROXY", "all_proxy", "GIT_CONFIG_GLOBAL",
    "GIT_PROXY_COMMAND", "GIT_SSH", "GIT_SSH_COMMAND", "GIT_SSL_CAINFO", "GIT_SMART_HTTP", "SSH_AUTH_SOCK",
    "SSH_AGENT_PID", "SOCKS5_USER", "SOCKS5_PASSWD", "DBUS_SESSION_BUS_ADDRESS", "P4CONFIG", "SSL_CERT_FILE",
    "NODE_EXTRA_CA_CERTS", "AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_ROLE_ARN",
    "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_DEFAULT_REGION", "AWS_SESSION_TOKEN", "GIT_CACHE_PATH",
    "REMOTE_CONTAINERS_IPC", "GITHUB_TOKEN", "SSL_CERT_DIR",
]


def get_fetcher_environment(d):
    """What tools that fetch get: the variables above, from the datastore or the user's own environment."""
    environment = {}
    original = d.getVar("BB_ORIGENV", False)
    for name in FETCH_EXPORT_VARS:
        value = d.getVar(name)
        if not value and original:
            value = original.getVar(name)
        if value:
            environment[name] = value
    return environment


def subprocess_setup():
    """For a child: Python ignores SIGPIPE, tools are not used to that."""
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)


def runfetchcmd(cmd, d, quiet=False, cleanup=None, log=None, workdir=None, secrets=()):
    """Runs a tool that fetches and returns what it printed.

    `cmd` is a list of words, or a text for the shell. If it fails, the paths in
    `cleanup` are removed and FetchError is raised with the output. `secrets` among
    the words are never shown.
    """
    environment = dict(os.environ)
    environment.update(get_fetcher_environment(d))
    # The fetcher runs outside pseudo: downloads belong to the user.
    environment["PSEUDO_DISABLED"] = "1"
    def shown_text(text):
        for secret in filter(None, secrets):
            text = text.replace(secret, "***")
        return redact(text)

    shown = shown_text(cmd if isinstance(cmd, str) else " ".join(map(shlex.quote, cmd)))
    logger.debug("Running %s%s" % (shown, " in %s" % workdir if workdir else ""))
    try:
        output, errors = bb.process.run(cmd, log=log, shell=isinstance(cmd, str), cwd=workdir, env=environment)
        return output + errors if log else output
    except bb.process.NotFoundError as error:
        message = "Fetch command %s" % error.command
    except bb.process.ExecutionError as error:
        if error.stdout or error.stderr:
            output = shown_text("output:\n%s%s" % (error.stdout or "", error.stderr or ""))
        else:
            output = "no output" if log is None else "see logfile for output"
        message = "Fetch command %s failed with exit code %s, %s" % (shown, error.exitcode, output)
    except bb.process.CmdError as error:
        message = "Fetch command %s could not be run:\n%s" % (shown, error.msg)
    for path in cleanup or []:
        bb.utils.remove(path, True)
    raise FetchError(message)


def check_network_access(d, info, url):
    """Raises NetworkAccess or UntrustedUrl if `url` must not be contacted; `info` says what for."""
    if bb.utils.to_boolean(d.getVar("BB_NO_NETWORK")):
        raise NetworkAccess(redact(url), redact(info if isinstance(info, str) else " ".join(info)))
    if not trusted_network(d, url):
        raise UntrustedUrl(url)
    logger.debug("Fetcher accessed the network with the command %s" % info)


def trusted_network(d, url):
    """Whether the host of `url` is in BB_ALLOWED_NETWORKS, or there is no such list.

    `*.example.org` stands for the host and all below it. Ports do not matter.
    """
    if bb.utils.to_boolean(d.getVar("BB_NO_NETWORK")):
        return True
    pkgname = d.getVar("PN")
    trusted = None
    if pkgname:
        trusted = d.getVarFlag("BB_ALLOWED_NETWORKS", pkgname, False)
    if not trusted:
        trusted = d.getVar("BB_ALLOWED_NETWORKS")
    if not trusted:
        return True
    scheme, host, _, _, _, params = decodeurl(url)
    if not host or scheme == "file" or params.get("protocol") == "file":
        return True
    host = urllib.parse.urlsplit("//" + host).hostname or host
    for pattern in trusted.split():
        pattern = pattern.lower()
        if pattern == host:
            return True
        if pattern.startswith("*.") and (host == pattern[2:] or host.endswith(pattern[1:])):
            return True
    return False
