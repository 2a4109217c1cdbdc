"""Replays calls whose answers were recorded from the real BitBake (2.18)."""

import importlib
import json
import logging
import os
import tempfile
import unittest

GOLDEN = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "tests", "golden", "bb.json")


def recorded(value):
    """A value as the recording has it."""
    if isinstance(value, dict):
        return {"dict": [[key, member] for key, member in value.items()]}
    return json.loads(json.dumps(value))


def arguments(values):
    """Dictionaries of the recording are written plainly, so arguments need no change."""
    return [dict(value) if isinstance(value, dict) else value for value in values]


class Golden(unittest.TestCase):
    """One test for every recorded function."""

    @classmethod
    def setUpClass(cls):
        with open(GOLDEN, encoding="utf-8") as file:
            cls.cases = json.load(file)
        logging.disable(logging.CRITICAL)
        cls.home = os.environ.get("HOME")
        os.environ["HOME"] = "/home/user"

    @classmethod
    def tearDownClass(cls):
        logging.disable(logging.NOTSET)
        if cls.home is None:
            del os.environ["HOME"]
        else:
            os.environ["HOME"] = cls.home

    def test_functions_give_and_raise_what_was_recorded(self):
        for name, cases in self.cases.items():
            if not name.startswith("bb."):
                continue
            module, _, function = name.rpartition(".")
            function = getattr(importlib.import_module(module), function)
            for case in cases:
                with self.subTest(function=name, args=case["args"]):
                    try:
                        answer = {"gives": recorded(function(*arguments(case["args"]), **case.get("kwargs", {})))}
                    except Exception as err:
                        answer = {"raises": type(err).__name__}
                    expected = {key: case[key] for key in ("gives", "raises") if key in case}
                    self.assertEqual(answer, expected)

    def test_metadata_is_edited_as_recorded(self):
        import bb.utils
        self.assertGreater(len(self.cases["edit_metadata"]), 100)
        for case in self.cases["edit_metadata"]:
            calls = []

            def answer(name, value, op, lines):
                calls.append([name, value, op, len(lines)])
                return tuple(case["answer"]) if case["answer"] else (value, None, 0, True)

            with self.subTest(variables=case["variables"], answer=case["answer"]):
                updated, lines = bb.utils.edit_metadata(case["text"].splitlines(True), case["variables"], answer,
                                                        match_overrides=case["match_overrides"])
                self.assertEqual(calls, case["calls"])
                self.assertEqual(updated, case["updated"])
                self.assertEqual(lines, case["lines"])

    def test_bblayers_are_edited_as_recorded(self):
        import bb.utils
        with tempfile.TemporaryDirectory() as directory:
            path = os.path.join(directory, "bblayers.conf")
            for case in self.cases["edit_bblayers_conf"]:
                with self.subTest(add=case["add"], remove=case["remove"], text=case["text"]):
                    with open(path, "w") as file:
                        file.write(case["text"])
                    try:
                        answer = {"gives": recorded(bb.utils.edit_bblayers_conf(path, case["add"], case["remove"]))}
                    except Exception as err:
                        answer = {"raises": type(err).__name__}
                    expected = {key: case[key] for key in ("gives", "raises") if key in case}
                    self.assertEqual(answer, expected)
                    with open(path) as file:
                        self.assertEqual(file.read(), case["after"])


if __name__ == "__main__":
    unittest.main()
