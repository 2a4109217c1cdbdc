"""The two kinds of files: recipes and classes, and configuration files."""

from bb.parse.parse_py import BBHandler, ConfHandler
