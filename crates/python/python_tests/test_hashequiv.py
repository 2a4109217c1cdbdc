"""Signature generators ask a server for unihashes, and the client speaks its protocol."""

import contextlib
import json
import logging
import socket
import threading
import unittest

import bb
import bb.data
import bb.siggen
from bb import _hashclient


class Server(threading.Thread):
    """Answers as the hash equivalence server does, to what the tests ask."""

    def __init__(self, sock):
        super().__init__(daemon=True)
        self.file = sock.makefile("rw", encoding="utf-8", newline="\n")
        self.known = {}
        self.longest = 0

    def answer(self, message):
        self.file.write(json.dumps(message) + "\n")
        self.file.flush()

    def run(self):
        assert self.file.readline() == "OEHASHEQUIV 1.1\n"
        assert self.file.readline() == "\n"
        for line in self.file:
            message = json.loads(line)
            if "chunk-stream" in message:
                text = ""
                while True:
                    piece = self.file.readline()[:-1]
                    if not piece:
                        break
                    text += piece
                message = json.loads(text)
            self.longest = max(self.longest, len(line))
            self.serve(message)

    def serve(self, message):
        if "get-stream" in message:
            self.answer("ok")
            for line in self.file:
                if line == "END\n":
                    self.file.write("ok\n")
                    self.file.flush()
                    return
                self.file.write(self.known.get(tuple(line.split()), "") + "\n")
                self.file.flush()
        elif "report" in message:
            report = message["report"]
            self.known[report["method"], report["taskhash"]] = report["unihash"]
            self.answer({"unihash": report["unihash"]})
        else:
            self.answer({"invoke-error": {"message": "unknown"}})


class Client(unittest.TestCase):
    """The client."""

    def setUp(self):
        ours, theirs = socket.socketpair()
        self.sockets = ours, theirs
        self.server = Server(theirs)
        self.server.start()
        self.client = _hashclient.Client(ours)

    def tearDown(self):
        self.client.close()
        self.server.join(5)
        self.server.file.close()
        for sock in self.sockets:
            sock.close()

    def test_what_was_reported_is_found(self):
        self.assertEqual(self.client.get_unihash_batch([("m", "a" * 64), ("m", "b" * 64)]), [None, None])
        self.assertEqual(self.client.report_unihash("a" * 64, "m", "o" * 64, "c" * 64)["unihash"], "c" * 64)
        self.assertEqual(self.client.get_unihash("m", "a" * 64), "c" * 64)

    def test_long_messages_go_in_pieces(self):
        self.client.report_unihash("a" * 64, "m", "o" * 64, "c" * 64, {"outhash_siginfo": "x" * 100000})
        self.assertLess(self.server.longest, 40000)
        self.assertEqual(self.client.get_unihash("m", "a" * 64), "c" * 64)

    def test_errors_of_the_server_are_raised(self):
        with self.assertRaises(_hashclient.ServerError):
            self.client.report_unihash_equiv("a" * 64, "m", "b" * 64)


class Generator(bb.siggen.SignatureGeneratorUniHashMixIn, bb.siggen.SignatureGeneratorBasicHash):
    """A generator whose server is the test."""

    name = "test"

    def init_rundepcheck(self, data):
        super().init_rundepcheck(data)
        self.server, self.method = "server", "method"
        self.answers = {}
        self.asked = []

    @contextlib.contextmanager
    def client(self):
        yield self

    def get_unihash_batch(self, query):
        query = list(query)
        self.asked.append(query)
        return [self.answers.get(taskhash) for _, taskhash in query]


class Unihashes(unittest.TestCase):
    """Where unihashes come from."""

    def setUp(self):
        logging.disable(logging.CRITICAL)
        self.generator = Generator(bb.data.init())
        self.generator.setscenetasks = {"x.bb:do_a", "x.bb:do_b"}
        for task, digit in (("do_a", "a"), ("do_b", "b"), ("do_c", "c")):
            self.generator.taskhash["x.bb:" + task] = digit * 64
            self.generator.tidtopn["x.bb:" + task] = "x"

    def tearDown(self):
        logging.disable(logging.NOTSET)

    def test_the_server_is_asked_once_for_tasks_that_can_be_restored_only(self):
        self.generator.answers["a" * 64] = "d" * 64
        tids = ["x.bb:do_a", "x.bb:do_b", "x.bb:do_c"]
        wanted = {"x.bb:do_a": "d" * 64, "x.bb:do_b": "b" * 64, "x.bb:do_c": "c" * 64}
        self.assertEqual(self.generator.get_unihashes(tids), wanted)
        self.assertEqual(self.generator.get_unihashes(tids), wanted)
        self.assertEqual(self.generator.asked, [[("method", "a" * 64), ("method", "b" * 64)]])

    def test_a_changed_task_hash_is_asked_for_again(self):
        self.generator.get_unihash("x.bb:do_a")
        self.generator.taskhash["x.bb:do_a"] = "e" * 64
        self.assertEqual(self.generator.get_unihash("x.bb:do_a"), "e" * 64)
        self.assertEqual(len(self.generator.asked), 2)

    def test_what_is_no_hash_is_refused_and_not_kept(self):
        self.generator.answers["a" * 64] = "${@os.system('true')}"
        with self.assertRaises(bb.BBHandledException):
            self.generator.get_unihash("x.bb:do_a")
        self.assertEqual(self.generator.unihash, {})


if __name__ == "__main__":
    unittest.main()
