"""Runs unit tests of a BitBake checkout against this `bb`: `bitzel python bitbake_tests.py CHECKOUT [TEST...]`.

The tests are read from the checkout, nothing else of it is used. Without names the
modules below are run; a name is one of them or a test in one (`data.TestOverrides`).
"""

import os
import sys
import tempfile
import unittest

MODULES = ("utils", "filter", "data", "parse", "codeparser", "siggen", "event", "cow", "compression", "color")


def run(checkout, names):
    """Run the tests and print how many of every module passed; whether all did."""
    tests = os.path.join(os.path.abspath(checkout), "lib", "bb", "tests")
    if not os.path.isdir(tests):
        sys.exit("%s holds no tests: give the path of a BitBake checkout" % tests)
    with tempfile.TemporaryDirectory() as directory:
        # A folder `bb` without an `__init__.py` adds modules to the package.
        portion = os.path.join(directory, "bb")
        os.mkdir(portion)
        os.symlink(tests, os.path.join(portion, "tests"))
        import bb
        bb.__path__.append(portion)
        results = []
        for name in names or MODULES:
            suite = unittest.defaultTestLoader.loadTestsFromName("bb.tests.%s" % name)
            result = unittest.TextTestRunner(verbosity=1, buffer=True).run(suite)
            results.append((name, result))
    for name, result in results:
        bad = result.failures + result.errors
        print("%-12s %3d run, %d passed" % (name, result.testsRun, result.testsRun - len(bad) - len(result.skipped)))
        for test, _ in bad:
            print("    %s" % test.id())
    return all(result.wasSuccessful() for _, result in results)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    sys.exit(0 if run(sys.argv[1], sys.argv[2:]) else 1)
