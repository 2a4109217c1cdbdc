"""`gitsm://`: Git repositories with their submodules."""

from .git import Git


class GitSM(Git):
    """Fetcher of Git repositories with submodules."""

    schemes = ("gitsm",)
