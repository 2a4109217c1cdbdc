"""Tests of `bb.fetch2`: `bitzel python -m unittest discover -s fetch_tests -t .` in crates/python.

Tests with servers start them on free loopback ports; what is not installed is said and counted.
With a plain python3 the parts that need no downloader are tested.
"""

import importlib.util
import os
import sys

if importlib.util.find_spec("bb") is None:
    sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "python"))

    from python_tests import standin

    standin.install()
