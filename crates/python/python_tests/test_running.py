"""Programs and metadata Python are run, and what goes wrong is told."""

import io
import logging
import os
import shutil
import subprocess
import tempfile
import unittest

import bb
import bb.data
import bb.event
import bb.process
import bb.progress
import bb.utils


class Log(object):
    """Takes what a program prints."""

    def __init__(self):
        self.text = ""

    def write(self, text):
        self.text += text

    def flush(self):
        pass


class Processes(unittest.TestCase):
    """bb.process.run."""

    def test_both_outputs_are_given_as_text(self):
        self.assertEqual(bb.process.run("echo out; echo err >&2"), ("out\n", "err\n"))
        self.assertEqual(bb.process.run(["echo", "a b"]), ("a b\n", ""))

    def test_input_is_fed(self):
        self.assertEqual(bb.process.run("cat", input=b"hello"), ("hello", ""))

    def test_failures_say_what_was_printed(self):
        with self.assertRaises(bb.process.ExecutionError) as raised:
            bb.process.run("echo x; echo y >&2; exit 3")
        self.assertEqual(str(raised.exception),
                         "Execution of 'echo x; echo y >&2; exit 3' failed with exit code 3:\ny\nx\n")
        with self.assertRaises(bb.process.NotFoundError):
            bb.process.run(["no-such-program-here"])

    def test_a_log_gets_output_as_it_comes_and_messages_have_a_channel_of_their_own(self):
        log = Log()
        read, write = os.pipe()
        messages = []
        with os.fdopen(read, "rb", 0) as channel:
            bb.process.run("echo m >&%d; echo o" % write, log=log, extrafiles=[(channel, messages.append)],
                           pass_fds=(write,))
            os.close(write)
        self.assertEqual(log.text, "o\n")
        self.assertEqual(b"".join(messages), b"m\n")


class Code(unittest.TestCase):
    """Compiling and running metadata Python."""

    def setUp(self):
        self.catcher = bb.utils.LogCatcher()
        logging.getLogger("BitBake").addHandler(self.catcher)

    def tearDown(self):
        logging.getLogger("BitBake").removeHandler(self.catcher)

    def test_syntax_errors_name_the_recipe_line_and_show_it(self):
        with self.assertRaises(bb.BBHandledException):
            bb.utils.better_compile("a = 1\nb = \n", "f.bb", "/x/f.bb", lineno=7)
        self.assertIn("Error in compiling python function in /x/f.bb, line 9", self.catcher.messages[0])
        self.assertIn(" *** 0002:b =", self.catcher.messages[0])

    def test_errors_show_the_code_of_every_call(self):
        text = "def f():\n    raise ValueError('x')\nf()\n"
        with self.assertRaises(bb.BBHandledException):
            bb.utils.better_exec(bb.utils.better_compile(text, "f", "/nonexistent/f.bb"), {}, text, "/nonexistent/f.bb")
        shown = self.catcher.messages[0]
        self.assertIn(" *** 0003:f()", shown)
        self.assertIn(" *** 0002:    raise ValueError('x')", shown)
        self.assertIn("Exception: ValueError: x", shown)

    def test_a_skipped_recipe_is_no_error(self):
        with self.assertRaises(bb.parse.SkipRecipe):
            bb.utils.better_exec("raise bb.parse.SkipRecipe('no')", {"bb": bb})
        self.assertEqual(self.catcher.messages, [])


class Scripts(unittest.TestCase):
    """The start of the scripts that run shell functions."""

    FUNCTION = "\ninner() {\n    %s\n}\nouter() {\n    inner\n}\nouter\n"

    def run_with(self, shell, command):
        import bb.build
        text = bb.build.shell_trap_code() + self.FUNCTION % command
        with tempfile.NamedTemporaryFile("w", suffix=".sh") as script:
            script.write(text)
            script.flush()
            done = subprocess.run([shell, script.name], stdout=subprocess.PIPE, universal_newlines=True)
        line = text[:text.index("    " + command)].count("\n") + 1
        return done.returncode, done.stdout, line

    def test_a_failing_command_ends_the_script_and_says_so(self):
        code, output, _ = self.run_with("sh", "(exit 7)")
        self.assertEqual(code, 7)
        self.assertIn("WARNING:", output)

    def test_bash_names_the_line_and_the_calls(self):
        if not shutil.which("bash"):
            self.skipTest("there is no bash")
        code, output, line = self.run_with("bash", "false")
        self.assertEqual(code, 1)
        self.assertIn(":%d exit 1 from 'false'" % line, output)
        self.assertIn("#1: inner, ", output)
        self.assertIn("#2: outer, ", output)

    def test_success_is_silent(self):
        for shell in ("sh", "bash"):
            if shutil.which(shell):
                self.assertEqual(self.run_with(shell, "true")[:2], (0, ""))


class Progress(unittest.TestCase):
    """Progress is found in output and fired as events."""

    def setUp(self):
        self.d = bb.data.init()
        self.fired = []
        bb.event.worker_fire = lambda event, d: self.fired.append(event.progress)

    def tearDown(self):
        bb.event.worker_fire = None

    def test_per_cent_is_read_through_colours_and_output_passes(self):
        out = io.StringIO()
        handler = bb.progress.BasicProgressHandler(self.d, outfile=out)
        handler.write("\x1b[1m10\x1b[0m%\n")
        handler.write("no number\n10%\n")
        handler.write("70% 80%\n")
        self.assertEqual(self.fired, [0, 10, 80])
        self.assertEqual(out.getvalue(), "\x1b[1m10\x1b[0m%\nno number\n10%\n70% 80%\n")

    def test_so_many_out_of_so_many(self):
        handler = bb.progress.OutOfProgressHandler(self.d, r"\[(\d+)/(\d+)\]", outfile=io.StringIO())
        handler.write("[1/4]")
        handler.write("[2/4] [3/4]")
        self.assertEqual(self.fired, [0, 25.0, 75.0])

    def test_stages_count_by_weight(self):
        reporter = bb.progress.MultiStageProgressReporter(self.d, [2, 3, 5])
        reporter.next_stage()
        reporter.next_stage(10)
        reporter.update(5)
        reporter.next_stage()
        reporter.update(10)
        reporter.finish()
        self.assertEqual([round(value) for value in self.fired], [0, 20, 35, 50, 55])


if __name__ == "__main__":
    unittest.main()
