"""`gitannex://`: Git repositories whose large files are kept by git-annex."""

import os
import shutil

from .errors import FetchError
from .git import Git


class GitANNEX(Git):
    """Fetcher of Git repositories with annexed files."""

    schemes = ("gitannex",)

    def uses_annex(self, ud, d, directory):
        """Whether the repository has an annex at all."""
        try:
            self.git(ud, d, ["rev-list", "-n", "1", "git-annex"], directory)
            return True
        except FetchError:
            return False

    def download(self, ud, d):
        """Fetches the repository and the annexed files."""
        Git.download(self, ud, d)
        if os.path.exists(ud.clonedir) and self.uses_annex(ud, d, ud.clonedir):
            self.git(ud, d, ["annex", "init"], ud.clonedir)
            self.network(ud, d, ["annex", "get", "--all"], ud.clonedir)

    def shallow_extra_content(self, ud, d, repository):
        """Puts the annexed files into a shallow tarball."""
        source = os.path.join(ud.clonedir, "annex")
        if os.path.isdir(source):
            gitdir = repository if ud.bareclone else os.path.join(repository, ".git")
            shutil.copytree(source, os.path.join(gitdir, "annex"), symlinks=True)
            self.git(ud, d, ["fetch", "file://" + ud.clonedir, "refs/heads/git-annex:refs/heads/git-annex"], repository)

    def unpack(self, ud, destdir, d):
        """Checks out, with annexed files in their places."""
        from . import gitcheckout

        Git.unpack(self, ud, destdir, d)
        checkout = gitcheckout.destination(ud, destdir, d)
        gitdir = os.path.join(checkout, ".git")
        annex = os.path.join(ud.clonedir, "annex")
        if os.path.isdir(annex):
            shutil.copytree(annex, os.path.join(gitdir, "annex"), symlinks=True, dirs_exist_ok=True)
        if os.path.isdir(os.path.join(gitdir, "annex")) and not ud.nocheckout:
            self.git(ud, d, ["annex", "init"], checkout)
            # Objects of a bare repository lie elsewhere than those of a checkout.
            self.git(ud, d, ["annex", "fix"], checkout)
