"""Scripts find recipes as the build would choose them."""

import logging
import unittest
from unittest import mock

import bb
import bb.data
import bb.providers
import bb.tinfoil


def recipe(**variables):
    """The datastore of a recipe."""
    d = bb.data.init()
    for name, value in variables.items():
        d.setVar(name, value)
    return d


class Recipes(unittest.TestCase):
    """Four files of three recipes; `broken` cannot be parsed, `old` is skipped."""

    VARIANTS = {
        "/layer/tool_1.bb": {"": recipe(PN="tool", PV="1", PROVIDES="tool virtual/tool", PACKAGES="tool"),
                             "native": recipe(PN="tool-native", PV="1", PROVIDES="tool-native")},
        "/layer/tool_2.bb": {"": recipe(PN="tool", PV="2", PROVIDES="tool", PACKAGES="tool")},
        "/layer/old_1.bb": {"": recipe(PN="old", __SKIPPED="too old")},
        "/layer/broken_1.bb": None,
    }

    def setUp(self):
        logging.disable(logging.CRITICAL)
        self.config = bb.data.init()
        native = mock.patch.multiple("bb._native", configure=self.configure, config_data=lambda mc: self.config,
                                     recipe_variants=self.variants)
        native.start()
        self.addCleanup(native.stop)
        self.addCleanup(logging.disable, logging.NOTSET)
        self.tinfoil = bb.tinfoil.Tinfoil(setup_logging=False)
        self.tinfoil.prepare()

    def configure(self, env, tracking):
        return {"": [(path, [path + "append"], "layer", 5) for path in self.VARIANTS]}

    def variants(self, mc, path, appends, layer):
        self.appends = appends
        if self.VARIANTS[path] is None:
            raise bb.parse.ParseError("unparsed line", path, 3)
        return self.VARIANTS[path]

    def test_the_latest_version_is_chosen_unless_another_is_preferred(self):
        self.assertEqual(self.tinfoil.get_recipe_file("tool"), "/layer/tool_2.bb")
        self.config.setVar("PREFERRED_VERSION_tool", "1%")
        self.assertEqual(self.tinfoil.get_recipe_file("tool"), "/layer/tool_1.bb")

    def test_variants_have_names_of_their_own(self):
        self.assertEqual(self.tinfoil.get_recipe_file("tool-native"), "virtual:native:/layer/tool_1.bb")
        self.assertEqual(self.tinfoil.parse_recipe("tool-native").getVar("PN"), "tool-native")
        self.assertEqual(self.appends, ["/layer/tool_1.bbappend"])

    def test_what_is_provided_is_found_too(self):
        self.assertEqual(self.tinfoil.get_recipe_file("virtual/tool"), "/layer/tool_1.bb")
        self.assertEqual(self.tinfoil.get_runtime_providers("tool"), ["/layer/tool_1.bb", "/layer/tool_2.bb"])

    def test_a_skipped_recipe_says_why(self):
        with self.assertRaisesRegex(bb.providers.NoProvider, "too old"):
            self.tinfoil.get_recipe_file("old")
        self.assertEqual(self.tinfoil.get_skipped_recipes(), [("/layer/old_1.bb", "too old")])
        with self.assertRaises(bb.providers.NoProvider):
            self.tinfoil.get_recipe_file("nothing")

    def test_one_broken_recipe_does_not_hide_the_others(self):
        self.assertEqual(len(list(self.tinfoil.all_recipe_files())), 3)
        self.assertEqual(len(list(self.tinfoil.all_recipe_files(variants=False))), 2)

    def test_append_files_can_be_left_out(self):
        self.tinfoil.parse_recipe_file("/layer/tool_2.bb", appends=False)
        self.assertEqual(self.appends, [])
        with self.assertRaises(bb.tinfoil.TinfoilCommandFailed):
            self.tinfoil.parse_recipe_file("virtual:native:/layer/tool_2.bb")

    def test_a_configuration_that_cannot_be_read_is_an_error_of_its_own(self):
        with mock.patch("bb._native.configure", side_effect=bb.BBHandledException()):
            with self.assertRaises(bb.tinfoil.TinfoilUIException):
                bb.tinfoil.Tinfoil(setup_logging=False).prepare(config_only=True)


if __name__ == "__main__":
    unittest.main()
