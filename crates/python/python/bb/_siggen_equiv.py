"""Hash equivalence: tasks with equal output share a unihash, which a server knows."""

import logging
import os
from contextlib import contextmanager

import bb
import bb.runqueue
from bb._siggen_basic import SignatureGeneratorBasicHash

hashequiv_logger = logging.getLogger("BitBake.SigGen.HashEquiv")

# Environment variables a connection to the server needs.
HASHSERV_ENVVARS = ["SSL_CERT_DIR", "SSL_CERT_FILE", "NO_PROXY", "HTTPS_PROXY", "HTTP_PROXY"]

_HEX = frozenset("0123456789abcdef")


def check_hashserv_unihash(unihash):
    """Stop unless this is what a server may answer: 64 lower-case hexadecimal digits."""
    if not isinstance(unihash, str) or len(unihash) != 64 or not _HEX.issuperset(unihash):
        bb.fatal("Hash Equivalence Server returned invalid unihash")


class SignatureGeneratorUniHashMixIn(object):
    """Asks a server for unihashes, and tells it what tasks put out.

    To be mixed into a generator that sets `server` and `method` in `init_rundepcheck`.
    """

    def __init__(self, data):
        self.extramethod = {}
        # Of tasks restored from the shared state cache the hashes need no asking.
        self.username = self.password = None
        self._client = None
        self.env = {}
        origenv = data.getVar("BB_ORIGENV", False)
        for name in HASHSERV_ENVVARS:
            value = data.getVar(name)
            if not value and origenv:
                value = origenv.getVar(name)
            if value:
                self.env[name] = value
        super().__init__(data)

    def get_taskdata(self):
        own = (self.server, self.method, self.extramethod, self.username, self.password, self.env)
        return own + super().get_taskdata()

    def set_taskdata(self, data):
        self.server, self.method, self.extramethod, self.username, self.password, self.env = data[:6]
        super().set_taskdata(data[6:])

    def get_hashserv_creds(self):
        """What the connection authenticates itself with."""
        if self.username and self.password:
            return {"username": self.username, "password": self.password}
        return {}

    @contextmanager
    def _client_env(self):
        saved = os.environ.copy()
        try:
            os.environ.update(self.env)
            yield
        finally:
            os.environ.clear()
            os.environ.update(saved)

    @contextmanager
    def client(self):
        """A connection to the server, kept open for the next time."""
        with self._client_env():
            if self._client is None:
                from bb import _hashclient
                self._client = _hashclient.connect(self.server, **self.get_hashserv_creds())
            yield self._client

    def __close_clients(self):
        with self._client_env():
            if getattr(self, "_client", None) is not None:
                self._client.close()
                self._client = None

    def reset(self, data):
        self.__close_clients()
        return super().reset(data)

    def exit(self):
        self.__close_clients()
        return super().exit()

    def get_stampfile_hash(self, tid):
        if tid in self.taskhash:
            # A task that can be restored is stamped by what it puts out.
            unihash = self._get_unihash(tid)
            if unihash is not None:
                return unihash
        return super().get_stampfile_hash(tid)

    def _key(self, tid):
        """Where a task's unihash is kept: by recipe and task, so that a new task hash replaces it."""
        mc, _, task, _ = bb.runqueue.split_tid_mcfn(tid)
        return "%s:%s:%s" % (mc, self.tidtopn[tid], task)

    def set_unihash(self, tid, unihash):
        """Note the unihash of a task."""
        self.unihash[tid] = unihash
        if tid in self.tidtopn:
            self.unitaskhashes[self._key(tid)] = (self.taskhash[tid], unihash)

    def _get_unihash(self, tid, checkkey=None):
        """The unihash noted for a task (and its present task hash), or None."""
        if tid not in self.tidtopn:
            return None
        noted = self.unitaskhashes.get(self._key(tid))
        if noted is None:
            return None
        if checkkey is None:
            checkkey = self.taskhash[tid]
        key, unihash = noted
        return unihash if key == checkkey else None

    def get_cached_unihash(self, tid):
        taskhash = self.taskhash[tid]
        # Only tasks that can be restored have equivalents.
        if self.setscenetasks and tid not in self.setscenetasks:
            self.unihash[tid] = None
            return taskhash
        unihash = self._get_unihash(tid, taskhash)
        if unihash is not None:
            self.unihash[tid] = unihash
        return unihash

    def _get_method(self, tid):
        method = self.method
        if tid in self.extramethod:
            method += self.extramethod[tid]
        return method

    def unihashes_exist(self, query):
        """Whether the server knows the queried unihashes (a dictionary by key), by key."""
        if not query:
            return {}
        with self.client() as client:
            answers = client.unihash_exists_batch(query.values())
        return dict(zip(query, answers))

    def get_unihash(self, tid):
        return self.get_unihashes([tid])[tid]

    def get_unihashes(self, tids):
        """The unihashes of many tasks, asking the server at once for all that are not known."""
        result = {tid: self.get_cached_unihash(tid) for tid in tids}
        asked = [tid for tid, unihash in result.items() if not unihash]
        if not asked:
            return result
        with self.client() as client:
            answers = client.get_unihash_batch((self._get_method(tid), self.taskhash[tid]) for tid in asked)
        for tid, unihash in zip(asked, answers):
            taskhash = self.taskhash[tid]
            if unihash:
                check_hashserv_unihash(unihash)
                level = hashequiv_logger.debug if unihash == taskhash else hashequiv_logger.debug2
                level("Found unihash %s in place of %s for %s from %s" % (unihash, taskhash, tid, self.server))
            else:
                hashequiv_logger.debug2("No reported unihash for %s:%s from %s" % (tid, taskhash, self.server))
                # Without a record of it a task stands for itself.
                unihash = taskhash
            self.set_unihash(tid, unihash)
            result[tid] = unihash
        return result

    def report_unihash(self, path, task, d):
        """Tell the server what a task put out in a directory; the server's unihash becomes the task's."""
        from bb import _report
        _report.report(self, path, task, d)

    def report_unihash_equiv(self, tid, taskhash, wanted_unihash, current_unihash, datacaches):
        """Ask the server to take a unihash as equivalent to a task's; whether it does."""
        extra = {}
        method = self._get_method(tid)
        with self.client() as client:
            answer = client.report_unihash_equiv(taskhash, method, wanted_unihash, extra)
        finalunihash = answer["unihash"]
        check_hashserv_unihash(finalunihash)
        if finalunihash == current_unihash:
            hashequiv_logger.verbose("Task %s unihash %s unchanged by server" % (tid, finalunihash))
            return False
        if finalunihash == wanted_unihash:
            hashequiv_logger.verbose("Task %s unihash changed %s -> %s as wanted"
                                     % (tid, current_unihash, finalunihash))
            self.set_unihash(tid, finalunihash)
            return True
        # Somebody else was quicker.
        hashequiv_logger.verbose("Task %s unihash %s not set to %s by server" % (tid, current_unihash, wanted_unihash))
        return False


class SignatureGeneratorTestEquivHash(SignatureGeneratorUniHashMixIn, SignatureGeneratorBasicHash):
    """Hash equivalence without metadata's policy, for tests."""

    name = "TestEquivHash"

    def init_rundepcheck(self, data):
        super().init_rundepcheck(data)
        self.server = data.getVar("BB_HASHSERVE")
        self.method = "sstate_output_hash"


for _class in (SignatureGeneratorUniHashMixIn, SignatureGeneratorTestEquivHash):
    _class.__module__ = "bb.siggen"
del _class
