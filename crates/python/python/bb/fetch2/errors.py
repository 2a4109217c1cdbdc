"""Exceptions of the fetcher and the event that reports missing checksums.

Class names, constructor arguments, attributes and message texts are those that
metadata, devtool and BitBake's own tests rely on.
"""

import logging
import re

import bb.event

_PASSWORD = re.compile(r"(?<=://)([^/@:;\s]*):([^/@\s;]+)@")
# A name alone is how web servers are given a token; `git` is the name everybody has.
_TOKEN = re.compile(r"\b(https?|git|gitsm)://(?!git@)[^/@:;\s]+@")
_PARAMETER = re.compile(r"(?<=;pswd=)[^;\s'\"]+")


def redact(text):
    """`text` with the credentials of all URLs in it replaced by `***`."""
    if "@" in text:
        text = _TOKEN.sub(r"\1://***@", _PASSWORD.sub(r"\1:***@", text))
    return _PARAMETER.sub("***", text) if ";pswd=" in text else text


class _WithoutCredentials(logging.Filter):
    """Nothing the fetcher logs holds credentials, whoever composed the text."""

    def filter(self, record):
        """Replaces the text."""
        record.msg, record.args = redact(record.getMessage()), ()
        return True


logging.getLogger("BitBake.Fetcher").addFilter(_WithoutCredentials())


class BBFetchException(Exception):
    """Base of all exceptions of the fetcher; `msg` is the text shown."""

    def __init__(self, message):
        self.msg = redact(message) if isinstance(message, str) else message
        Exception.__init__(self, message)

    def __str__(self):
        return self.msg

    def __repr__(self):
        parts = ", ".join(redact(repr(arg)) for arg in self.args)
        return "%s(%s)" % (type(self).__name__, parts)


class UntrustedUrl(BBFetchException):
    """The host of `url` is not in BB_ALLOWED_NETWORKS."""

    def __init__(self, url, message=""):
        self.url = url
        BBFetchException.__init__(self, message or "The URL: '%s' is not trusted and cannot be used" % url)
        self.args = (url,)


class MalformedUrl(BBFetchException):
    """`url` cannot be taken apart."""

    def __init__(self, url="", message=""):
        self.url = url
        BBFetchException.__init__(self, message or "The URL: '%s' is invalid and cannot be interpreted" % url)
        self.args = (url,)


class FetchError(BBFetchException):
    """Something could not be fetched."""

    def __init__(self, message, url=None):
        self.url = url
        if url:
            text = "Fetcher failure for URL: '%s'. %s" % (url, message)
        else:
            text = "Fetcher failure: %s" % message
        BBFetchException.__init__(self, text)
        self.args = (message, url)


class ChecksumError(FetchError):
    """What was fetched is not what was expected; `checksum` is the one found."""

    def __init__(self, message, url=None, checksum=None):
        self.checksum = checksum
        FetchError.__init__(self, message, url)


class NoChecksumError(FetchError):
    """A checksum is required (BB_STRICT_CHECKSUM) and none is given."""


class UnpackError(BBFetchException):
    """What was fetched cannot be unpacked."""

    def __init__(self, message, url):
        self.url = url
        BBFetchException.__init__(self, "Unpack failure for URL: '%s'. %s" % (url, message))
        self.args = (message, url)


class LocalModificationsError(UnpackError):
    """The checkout to be updated in place has uncommitted changes."""

    def __init__(self, repodir, url, git_output):
        UnpackError.__init__(
            self,
            "Repository at %s has uncommitted changes, unable to update:\n%s\n"
            "Commit, stash or discard your changes and re-run the update." % (repodir, git_output), url)
        self.args = (repodir, url, git_output)


class RebaseError(UnpackError):
    """The local commits of a checkout do not rebase onto the new revision."""

    def __init__(self, repodir, url, git_output):
        UnpackError.__init__(
            self,
            "Repository at %s has local commits that could not be rebased onto the new upstream revision:\n%s\n"
            "Note: the 'dldir' remote points to the local download cache and may be used to resolve the "
            "conflict manually.\nOnce resolved, re-run the update." % (repodir, git_output), url)
        self.args = (repodir, url, git_output)


class NoMethodError(BBFetchException):
    """No fetcher knows the scheme of `url`."""

    def __init__(self, url):
        self.url = url
        BBFetchException.__init__(self, "Could not find a fetcher which supports the URL: '%s'" % url)
        self.args = (url,)


class MissingParameterError(BBFetchException):
    """`url` lacks the parameter `missing`."""

    def __init__(self, missing, url):
        self.url = url
        self.missing = missing
        BBFetchException.__init__(self, "URL: '%s' is missing the required parameter '%s'" % (url, missing))
        self.args = (missing, url)


class ParameterError(BBFetchException):
    """A parameter of `url` makes no sense."""

    def __init__(self, message, url):
        self.url = url
        BBFetchException.__init__(self, "URL: '%s' has invalid parameters. %s" % (url, message))
        self.args = (message, url)


class NetworkAccess(BBFetchException):
    """The network is needed but forbidden (BB_NO_NETWORK, BB_FETCH_PREMIRRORONLY)."""

    def __init__(self, url, cmd):
        self.url = url
        self.cmd = cmd
        BBFetchException.__init__(
            self,
            "Network access disabled through BB_NO_NETWORK (or set indirectly due to use of "
            "BB_FETCH_PREMIRRORONLY) but access requested with command %s (for url %s)" % (cmd, url))
        self.args = (url, cmd)


class NonLocalMethod(Exception):
    """A fetcher that was asked for a local path needs the network."""

    def __init__(self):
        Exception.__init__(self)


class MissingChecksumEvent(bb.event.Event):
    """A download has no checksum; `checksums` maps names such as `sha256sum` to those found."""

    def __init__(self, url, **checksums):
        self.url = url
        self.checksums = checksums
        bb.event.Event.__init__(self)


# Events and exceptions are known by the package's name: in event masks, logs and pickles.
for _class in list(globals().values()):
    if isinstance(_class, type) and _class.__module__ == __name__:
        _class.__module__ = __package__
del _class
