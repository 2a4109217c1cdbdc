"""`npm://`: packages of the npm registry; refused, as BitBake refuses them."""

import bb.parse

from .method import FetchMethod


class Npm(FetchMethod):
    """npm is disabled for security reasons (BitBake manual, "NPM Fetcher")."""

    schemes = ("npm",)

    def check_enabled(self):
        """Skips the recipe."""
        raise bb.parse.SkipRecipe("The %s fetcher has been disabled due to security issues and there is no "
                                  "maintainer to address them" % self.schemes[0])

    def urldata_init(self, ud, d):
        """Skips the recipe."""
        self.check_enabled()
