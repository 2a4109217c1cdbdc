"""Tests of the `bb` package: `python3 -m unittest discover -s crates/python/python_tests -t crates/python`."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "python"))

from python_tests import standin

standin.install()
