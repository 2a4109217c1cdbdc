"""`gitannex://`: Git repositories whose large files are kept by git-annex."""

import os

from .errors import FetchError
from .git import Git


class GitANNEX(Git):
    """Fetcher of Git repositories with annexed files."""

    schemes = ("gitannex",)

    def urldata_init(self, ud, d):
        """As git; annexed files need a whole clone to come from."""
        Git.urldata_init(self, ud, d)
        ud.shallow_skip_fast = True

    def uses_annex(self, ud, d, directory):
        """Whether the repository has an annex at all."""
        try:
            listing = self.git(ud, d, ["for-each-ref", "--format=%(refname)", "refs/heads/git-annex",
                                       "refs/remotes/*/git-annex"], directory)
        except FetchError:
            return False
        return bool(listing.strip())

    def download(self, ud, d):
        """Fetches the repository and the annexed files."""
        Git.download(self, ud, d)
        if os.path.exists(ud.clonedir) and self.uses_annex(ud, d, ud.clonedir):
            self.git(ud, d, ["annex", "init"], ud.clonedir)
            self.network(ud, d, ["annex", "get", "--all"], ud.clonedir)

    def _get_from_clone(self, ud, d, repository, *what):
        """Brings annexed files from the clone to a repository."""
        self.git(ud, d, ["annex", "init"], repository)
        self.git(ud, d, ["annex", "get", "--from", "dldir", *what], repository)

    def shallow_extra_content(self, ud, d, repository):
        """Puts the annexed files into a shallow tarball."""
        if not self.uses_annex(ud, d, ud.clonedir):
            return
        url = "file://" + ud.clonedir
        self.git(ud, d, ["fetch", url, "+refs/heads/git-annex:refs/heads/git-annex"], repository)
        self.git(ud, d, ["remote", "add", "dldir", url], repository)
        self._get_from_clone(ud, d, repository, "--all")

    def unpack(self, ud, destdir, d):
        """Checks out, with annexed files in their places."""
        from . import gitcheckout

        Git.unpack(self, ud, destdir, d)
        checkout = gitcheckout.destination(ud, destdir, d)
        if ud.nocheckout or not self.uses_annex(ud, d, checkout):
            return
        if os.path.isdir(ud.clonedir):
            self._get_from_clone(ud, d, checkout, ".")
