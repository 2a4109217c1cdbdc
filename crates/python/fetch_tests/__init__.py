"""Tests of `bb.fetch2`: `python3 -m unittest discover -s crates/python/fetch_tests -t crates/python`.

Tests with servers start them on free loopback ports; what is not installed is said and counted.
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "python"))

from python_tests import standin

standin.install()
