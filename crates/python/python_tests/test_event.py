"""Events reach the handlers and user interfaces they are meant for."""

import logging
import pickle
import traceback
import unittest

import bb
import bb.data
import bb.event
import bb.parse


class Handlers(unittest.TestCase):
    """Handlers of metadata."""

    def setUp(self):
        self.d = bb.data.init()
        self.seen = []
        self.saved = bb.event.get_class_handlers()
        self.sink = bb.event.ui_sink
        bb.event.set_class_handlers(bb.event.clean_class_handlers())
        self.seen_by_ui = []
        bb.event.ui_sink = self.seen_by_ui.append
        logging.disable(logging.CRITICAL)

    def tearDown(self):
        for name in list(bb.event.get_class_handlers()):
            bb.event.remove(name, None)
        bb.event.set_class_handlers(self.saved)
        bb.event.ui_sink = self.sink
        logging.disable(logging.NOTSET)

    def note(self, name):
        return lambda event, d: self.seen.append((name, bb.event.getName(event)))

    def test_a_mask_names_classes_exactly(self):
        bb.event.register("base", self.note("base"), ["bb.event.RecipeEvent"], data=self.d)
        bb.event.register("exact", self.note("exact"), ["bb.event.RecipeParsed"], data=self.d)
        bb.event.fire(bb.event.RecipeParsed("x.bb"), self.d)
        self.assertEqual(self.seen, [("exact", "RecipeParsed")])

    def test_no_mask_and_star_take_everything(self):
        bb.event.register("none", self.note("none"), [], data=self.d)
        bb.event.register("star", self.note("star"), ["*"], data=self.d)
        bb.event.fire(bb.event.ConfigParsed(), self.d)
        self.assertEqual([name for name, _ in self.seen], ["none", "star"])

    def test_handlers_see_events_of_their_datastore_and_its_copies_only(self):
        other = bb.data.init()
        bb.event.register("mine", self.note("mine"), ["bb.event.ConfigParsed"], data=self.d)
        bb.event.fire(bb.event.ConfigParsed(), other)
        self.assertEqual(self.seen, [])
        bb.event.fire(bb.event.ConfigParsed(), self.d.createCopy())
        self.assertEqual(len(self.seen), 1)

    def test_the_event_carries_the_datastore_while_handled(self):
        def handler(event, d):
            self.seen.append(event.data is d)

        event = bb.event.ConfigParsed()
        bb.event.register("handler", handler, ["bb.event.ConfigParsed"], data=self.d)
        bb.event.fire(event, self.d)
        self.assertEqual(self.seen, [True])
        self.assertFalse(hasattr(event, "data"))

    def test_a_skipped_recipe_and_other_errors_pass_on(self):
        for error in (bb.parse.SkipRecipe("not here"), bb.BBHandledException(), ValueError("x")):
            with self.subTest(error=type(error).__name__):
                def handler(event, d):
                    raise error
                bb.event.register("raises", handler, ["bb.event.ConfigParsed"], data=self.d)
                with self.assertRaises(type(error)):
                    bb.event.fire(bb.event.ConfigParsed(), self.d)
                bb.event.remove("raises", None, self.d)

    def test_text_becomes_a_handler_with_the_lines_of_its_file(self):
        bb.event.register("text", "    raise ValueError(e.fn)", ["bb.event.RecipeParsed"], "/x/f.bb", 12, self.d)
        try:
            bb.event.fire(bb.event.RecipeParsed("x.bb"), self.d)
        except ValueError as err:
            last = traceback.extract_tb(err.__traceback__)[-1]
        self.assertEqual((last.filename, last.lineno), ("/x/f.bb", 13))

    def test_bad_text_is_reported_and_ignored(self):
        self.assertIsNone(bb.event.register("bad", "    a b c", ["bb.event.ConfigParsed"], "/x/f.bb", 3, self.d))
        bb.event.fire(bb.event.ConfigParsed(), self.d)
        self.assertEqual(self.seen, [])

    def test_the_sink_gets_every_event(self):
        event = bb.event.MetadataEvent("kind", {"a": 1})
        bb.event.fire(event, self.d)
        self.assertEqual(self.seen_by_ui, [event])

    def test_a_task_gives_events_to_its_owner_instead(self):
        taken = []
        bb.event.worker_fire = lambda event, d: taken.append(event)
        try:
            bb.event.fire(bb.event.ConfigParsed(), self.d)
        finally:
            bb.event.worker_fire = None
        self.assertEqual((len(taken), self.seen_by_ui), (1, []))


class Classes(unittest.TestCase):
    """The event classes."""

    def test_events_pickle_as_members_of_bb_event(self):
        data = pickle.dumps(bb.event.BuildStarted("name", ["target"]))
        self.assertIn(b"bb.event", data)
        self.assertEqual(pickle.loads(data).getPkgs(), ["target"])

    def test_events_carry_the_process_of_the_task(self):
        bb.event.worker_pid = 4711
        try:
            self.assertEqual(bb.event.ConfigParsed().pid, 4711)
        finally:
            bb.event.worker_pid = 0


if __name__ == "__main__":
    unittest.main()
