"""Reading configuration and recipes from scripts.

    with bb.tinfoil.Tinfoil() as tinfoil:
        tinfoil.prepare()
        d = tinfoil.parse_recipe("busybox")

Everything happens in the calling process; there is no server to connect to.
"""

import logging
import os
import sys

import bb
import bb.cache
import bb.parse
import bb.providers
import bb.runqueue
from bb import _native
from bb._recipecache import RecipeCache


class TinfoilUIException(Exception):
    """The configuration could not be read; the errors were logged."""

    def __init__(self, returncode):
        self.returncode = returncode

    def __repr__(self):
        return "UI module main returned %d" % self.returncode


class TinfoilCommandFailed(Exception):
    """Something asked for could not be done."""


class TinfoilConfigParameters(object):
    """Options, as attributes, for `Tinfoil.prepare`."""

    def __init__(self, config_only, **options):
        self.config_only = config_only
        for name, value in options.items():
            setattr(self, name, value)


class TinfoilRecipeInfo(object):
    """A recipe's data without parsing it again: attributes named after variables, in lower case."""

    def __init__(self, recipecache, d, pn, fn, fns):
        self._cache = recipecache
        self._d = d
        self.pn = pn
        self.fn = fn
        self.fns = fns
        self.inherit_files = recipecache.inherits[fn]
        self.depends = recipecache.deps[fn]
        self.pe, self.pv, self.pr = recipecache.pkg_pepvpr[fn]
        self.provides = recipecache.fn_provides[fn]
        self.packages = [name for name, fns_of in recipecache.packages.items() if fn in fns_of]
        self.default_preference = recipecache.pkg_dp[fn]

    def inherits(self, only_recipe=False):
        """The files of the classes inherited; `only_recipe` leaves out those of the configuration."""
        files = self.inherit_files
        if only_recipe:
            everywhere = self._d.getVar("__inherit_cache", False) or ()
            files = [file for file in files if file not in everywhere]
        return files

    def __str__(self):
        return "%s" % self.pn


class TinfoilCookerAdapter(object):
    """What scripts know as `tinfoil.cooker`: the data of all recipes."""

    def __init__(self, tinfoil):
        self._tinfoil = tinfoil

    @property
    def recipecaches(self):
        return self._tinfoil._recipecaches()

    @property
    def multiconfigs(self):
        return list(self._tinfoil._recipes)

    def findBestProvider(self, pn):
        return self._tinfoil._best_provider(pn)


class Tinfoil(object):
    """The configuration of the build directory one is in, and its recipes."""

    def __init__(self, output=sys.stdout, tracking=False, setup_logging=True):
        self.logger = logging.getLogger("BitBake")
        self.tracking = tracking
        self.config_data = None
        self.config_params = None
        self.cooker = TinfoilCookerAdapter(self)
        self.recipes_parsed = False
        # Recipe files, (path, appends, layer, priority), by configuration.
        self._recipes = {}
        self._caches = None
        self._handler = None
        if setup_logging:
            self._set_up_logging(output)

    def _set_up_logging(self, output):
        """Show messages on `output` unless something shows them already."""
        import bb.msg
        if bb.msg.has_console_handler(self.logger):
            return
        self._handler = logging.StreamHandler(output)
        formatter = bb.msg.BBLogFormatter("%(levelname)s: %(message)s")
        if output.isatty() and not os.environ.get("NO_COLOR"):
            formatter.enable_color()
        self._handler.setFormatter(formatter)
        bb.msg.addDefaultlogFilter(self._handler)
        self._handler.addFilter(bb.msg.LogFilterShowOnce())
        self.logger.addHandler(self._handler)

    def __enter__(self):
        return self

    def __exit__(self, type, value, traceback):
        self.shutdown()

    def prepare(self, config_only=False, config_params=None, quiet=0, extra_features=None):
        """Read the configuration, and all recipes unless `config_only`; `quiet` 1 hides notes, 2 warnings too.

        Raises `TinfoilUIException`.
        """
        if self._handler is not None and quiet:
            self._handler.setLevel(logging.ERROR if quiet > 1 else logging.WARNING)
        self.config_params = config_params or TinfoilConfigParameters(config_only, quiet=quiet)
        try:
            self._configure()
        except (bb.BBHandledException, bb.parse.ParseError, OSError) as err:
            if not isinstance(err, bb.BBHandledException):
                self.logger.critical("%s", err)
            raise TinfoilUIException(1) from err
        if not config_only:
            self.parse_recipes()

    def _configure(self):
        self._recipes = _native.configure(dict(os.environ), self.tracking)
        self.config_data = _native.config_data("")

    def parse_recipes(self):
        """Read all recipes, if that was not done."""
        self._recipecaches()
        self.recipes_parsed = True

    parseRecipes = parse_recipes

    def _recipecaches(self):
        if self._caches is None:
            self._caches = {mc: self._read_recipes(mc) for mc in self._recipes}
        return self._caches

    def _read_recipes(self, mc):
        cache = RecipeCache()
        for path, appends, layer, priority in self._recipes[mc]:
            try:
                variants = _native.recipe_variants(mc, path, appends, layer)
            except bb.BBHandledException:
                continue
            except (bb.parse.ParseError, bb.data_smart.ExpansionError, OSError) as err:
                self.logger.error("%s", err)
                continue
            for variant, d in variants.items():
                cache.add(bb.cache.realfn2virtual(path, variant, mc), d, priority)
        return cache

    def _cache(self, mc=""):
        try:
            return self._recipecaches()[mc]
        except KeyError:
            raise TinfoilCommandFailed("there is no configuration `%s`" % mc) from None

    def _best_provider(self, pn):
        mc, pn = bb.runqueue.split_mc(pn)
        return bb.providers.findBestProvider(pn, _native.config_data(mc), self._cache(mc))

    def get_overlayed_recipes(self, mc=""):
        """Recipe files that others of the same recipe in layers of higher priority hide, by the one in use."""
        cache = self._cache(mc)
        hidden = {}
        for pn in cache.pkg_pn:
            groups = bb.providers.sortPriorities(pn, cache)
            if len(groups) > 1:
                hidden[groups[0][-1]] = [fn for files in groups[1:] for fn in files]
        return hidden

    def get_skipped_recipes(self, mc=""):
        """(variant's name, reason) of the recipes that were skipped."""
        return sorted(self._cache(mc).skipped.items())

    def get_all_providers(self, mc=""):
        """((version), file) of every recipe, by PN."""
        return bb.providers.allProviders(self._cache(mc))

    def find_providers(self, mc=""):
        """What to build of every recipe, see `bb.providers.findProviders`."""
        return bb.providers.findProviders(_native.config_data(mc), self._cache(mc))

    def find_best_provider(self, pn):
        """What to build of a recipe, see `bb.providers.findBestProvider`."""
        return self._best_provider(pn)

    def get_runtime_providers(self, rdep):
        """The files that provide a runtime name."""
        return bb.providers.getRuntimeProviders(self._cache(), rdep)

    def get_recipe_file(self, pn):
        """The file (variant's name) to build a recipe from; raises `bb.providers.NoProvider`."""
        mc, name = bb.runqueue.split_mc(pn)
        cache = self._cache(mc)
        if name in cache.pkg_pn:
            best = self._best_provider(pn)[3]
        else:
            files, _ = bb.providers.filterProviders(cache.providers.get(name, []), name, _native.config_data(mc), cache)
            best = files[0] if files else None
        if not best:
            skipped = [reason for fn, reason in cache.skipped.items() if _name_of(fn) == name]
            if skipped:
                raise bb.providers.NoProvider("%s was skipped: %s" % (pn, skipped[0]))
            raise bb.providers.NoProvider("Unable to find any recipe file matching \"%s\"" % pn)
        return best

    def _recipe(self, fn):
        """(configuration, path, appends, layer, variant) of a variant's name."""
        path, variant, mc = bb.cache.virtualfn2realfn(fn)
        path = os.path.abspath(path)
        for known, appends, layer, _ in self._recipes.get(mc, ()):
            if known == path:
                return mc, path, appends, layer, variant
        return mc, path, [], "", variant

    def get_file_appends(self, fn, mc=""):
        """The append files of a recipe file."""
        return self._recipe(bb.cache.realfn2virtual(bb.cache.virtualfn2realfn(fn)[0], "", mc))[2]

    def all_recipe_files(self, mc="", variants=True, preferred_only=False):
        """The files of all recipes (variants too), or only those that would be built."""
        cache = self._cache(mc)
        if preferred_only:
            files = [self._best_provider(pn)[3] for pn in cache.pkg_pn]
        else:
            files = list(cache.pkg_fn)
        for fn in files:
            if fn and (variants or not bb.cache.virtualfn2realfn(fn)[1]):
                yield fn

    def all_recipes(self, mc="", sort=True):
        """`TinfoilRecipeInfo` of all recipes."""
        names = self._cache(mc).pkg_pn
        for pn in sorted(names) if sort else names:
            info = self.get_recipe_info(pn, mc)
            if info is not None:
                yield info

    def get_recipe_info(self, pn, mc=""):
        """`TinfoilRecipeInfo` of a recipe, or None."""
        cache = self._cache(mc)
        if pn not in cache.pkg_pn:
            return None
        best = self._best_provider("mc:%s:%s" % (mc, pn) if mc else pn)[3]
        return TinfoilRecipeInfo(cache, self.config_data, pn, best, cache.pkg_pn[pn]) if best else None

    def parse_recipe(self, pn):
        """The datastore of a recipe; raises `bb.providers.NoProvider`."""
        return self.parse_recipe_file(self.get_recipe_file(pn))

    def parse_recipe_file(self, fn, appends=True, appendlist=None, config_data=None):
        """The datastore of a recipe file (a variant's name); without appends, or with those of `appendlist` only.

        With `config_data` the recipe is parsed on that datastore instead of the configuration's.
        """
        mc, path, known, layer, variant = self._recipe(fn)
        if not appends:
            known = []
        elif appendlist is not None:
            known = list(appendlist)
        if config_data is None:
            variants = _native.recipe_variants(mc, path, known, layer)
        elif known:
            raise TinfoilCommandFailed("cannot parse `%s` with append files on another configuration: "
                                       "give appends=False" % path)
        else:
            variants = bb.parse.handle(path, config_data.createCopy())
        if variant not in variants:
            raise TinfoilCommandFailed("`%s` has no variant `%s`" % (path, variant))
        return variants[variant]

    def build_targets(self, targets, task=None, handle_events=True, extra_events=None, event_callback=None):
        """Build targets, a list or text, by running `bitbake`; whether that worked.

        Without `handle_events` it is only started, and None given. What it prints is shown;
        no events of it are seen here.
        """
        if isinstance(targets, str):
            targets = targets.split()
        return self._run_bitbake((["-c", task] if task else []) + list(targets), wait=handle_events)

    def build_file(self, buildfile, task, internal=True):
        """Build a task of a recipe file, without what it depends on, by running `bitbake`; whether that worked."""
        return self._run_bitbake(["-b", buildfile, "-c", task])

    def build_file_sync(self, *args):
        """`build_file`, with an error if it did not work."""
        if not self.build_file(*args):
            raise TinfoilCommandFailed("building %s failed" % args[0])

    @staticmethod
    def _run_bitbake(arguments, wait=True):
        import shutil
        import subprocess
        program = shutil.which("bitbake")
        if program is None:
            raise TinfoilCommandFailed("cannot build: there is no `bitbake` in PATH, "
                                       "source the build environment first")
        sys.stdout.flush()
        process = subprocess.Popen([program] + arguments)
        return process.wait() == 0 if wait else None

    def run_command(self, command, *params, handle_events=True):
        """Do what a command of the server does: `getVariable NAME [expand]`, `setVariable NAME VALUE`."""
        if command == "getVariable":
            name, expand = (params + (True,))[:2]
            return self.config_data.getVar(name, expand)
        if command == "setVariable":
            self.config_data.setVar(*params)
            return None
        raise TinfoilCommandFailed("command `%s` needs a server, which there is none of" % command)

    def modified_files(self):
        """Say that files were changed: recipes and configuration are read anew."""
        self._caches = None
        if self.recipes_parsed:
            self._configure()

    def shutdown(self):
        """Let go of everything."""
        if self._handler is not None:
            self.logger.removeHandler(self._handler)
            self._handler = None
        self._caches = None
        self.config_data = None


def _name_of(fn):
    """The recipe's name as its file's name and variant say it."""
    path, variant, _ = bb.cache.virtualfn2realfn(fn)
    name = os.path.basename(path).split("_")[0]
    name = name[:-len(".bb")] if name.endswith(".bb") else name
    if variant == "native":
        return name + "-native"
    return "nativesdk-" + name if variant == "nativesdk" else name
