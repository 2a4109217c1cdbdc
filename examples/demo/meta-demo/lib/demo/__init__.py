"""Python shared by the tasks of the demo distribution."""

BBIMPORTS = ["archive", "packages"]
