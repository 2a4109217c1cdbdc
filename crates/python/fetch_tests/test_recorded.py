"""SRC_URI cases against the answers recorded from BitBake 2.18: outcome, DL_DIR, unpacked tree.

To record them anew, with BitBake's `lib` and `crates/python` on PYTHONPATH:
`python3 -m fetch_tests.recorded.answers crates/python/tests/golden/fetch_cases.json`
"""

import difflib
import json
import os
import unittest

from fetch_tests.recorded import answers
from fetch_tests.support import have_engine

GOLDEN = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "tests", "golden",
                      "fetch_cases.json")


@unittest.skipUnless(have_engine(), "the extension module is not built: no downloader")
class Recorded(unittest.TestCase):
    """All differences are shown at once."""

    def test_what_bitbake_answered(self):
        with open(GOLDEN, encoding="ascii") as stream:
            golden = json.load(stream)
        found, left_out = answers.ask()
        self.assertEqual(sorted([*found, *left_out]), sorted(golden), "cases and recorded answers do not belong together")
        wrong = [name for name in found if found[name] != golden[name]]
        for name in wrong:
            print("== " + name)
            print("\n".join(line for line in difflib.unified_diff(_lines(golden[name]), _lines(found[name]), "BitBake",
                                                                  "bitzel", n=0, lineterm="")))
        self.assertEqual(wrong, [])
        if left_out:
            self.skipTest("%d of %d cases left out, not installed: %s"
                          % (len(left_out), len(golden), " ".join(sorted({tool for tools in left_out.values() for tool in tools}))))


def _lines(answer):
    return json.dumps(answer, indent=0, sort_keys=True).splitlines()
