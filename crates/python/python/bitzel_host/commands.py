"""Commands that need a datastore and answer with text."""

import io


def environment(arguments):
    """What `bitbake -e` prints. Arguments: multiconfig, then for a recipe its file,
    layer, variant and .bbappend files."""
    import _bitzel
    import bb.data

    mc, *recipe = arguments
    if recipe:
        path, layer, variant, *appends = recipe
        d = _bitzel.recipe_data(mc, path, appends, layer, variant)
    else:
        d = _bitzel.config_environment(mc)
    _bitzel.as_shown(d)
    out = io.StringIO()
    # BitBake: the files of the configuration, for recipes as well.
    _bitzel.config_data(mc).inchistory.emit(out)
    out.write("\n")
    bb.data.emit_env(out, d, True)
    out.write("\n")
    for name in sorted(d.keys()):
        if d.getVarFlag(name, "func", False) and d.getVarFlag(name, "python", False):
            out.write("\npython %s () {\n%s}\n\n" % (name, d.getVar(name, False)))
    return out.getvalue()


def getvar(arguments):
    """What `bitbake-getvar` prints. Arguments: variable, flag, how (`value`, `unexpanded`
    or `history`), multiconfig, and for a recipe as in `environment`."""
    import _bitzel
    import bb.data

    name, flag, how, mc, *recipe = arguments
    if recipe:
        path, layer, variant, *appends = recipe
        d = _bitzel.recipe_data(mc, path, appends, layer, variant)
    else:
        d = _bitzel.config_data(mc)
    expand = how != "unexpanded"
    value = d.getVarFlag(name, flag, expand) if flag else d.getVar(name, expand)
    if how != "history":
        return "" if value is None else str(value) + "\n"
    out = io.StringIO()
    bb.data.emit_var(name, out, d, all=True)
    return out.getvalue()


def extra_depends(arguments):
    """The names a recipe's `calculate_extra_depends` adds to its DEPENDS, separated by blanks.
    Arguments: its text, its PN, DEPENDS, the names of world, and lines of PN and recipe."""
    code, self_pn, depends, world, recipes = arguments
    deps = depends.split()
    before = list(deps)
    pkg_pn = {}
    for line in recipes.splitlines():
        pn, recipe = line.split(" ", 1)
        pkg_pn.setdefault(pn, []).append(recipe)
    names = {"deps": deps, "world_target": set(world.split()), "pkg_pn": pkg_pn, "self_pn": self_pn}
    exec(compile("if True:\n" + code, "calculate_extra_depends", "exec"), names)
    return " ".join(name for name in names["deps"] if name not in before)


def sign_tasks(arguments):
    """The hashes of tasks by the layer's own signature generator. Argument and answer are JSON, see
    `layer_signatures.rs`."""
    import json
    from types import SimpleNamespace

    import _bitzel
    import bb.runqueue
    import bb.siggen

    order = json.loads(arguments[0])
    tables = ("pkg_fn", "basetaskhash", "task_deps", "stamp", "file_checksums", "inherits")
    caches = {}
    for mcfn, recipe in order["recipes"].items():
        mc = bb.runqueue.split_mc(mcfn)[0]
        cache = caches.setdefault(mc, SimpleNamespace(**{table: {} for table in tables}))
        cache.pkg_fn[mcfn] = recipe["pn"]
        cache.task_deps[mcfn] = recipe["task_deps"]
        cache.stamp[mcfn] = recipe["stamp"]
        cache.file_checksums[mcfn] = recipe["file_checksums"]
        cache.inherits[mcfn] = recipe["inherits"]
        for task, basehash in recipe["basehashes"].items():
            cache.basetaskhash[mcfn + ":" + task] = basehash
    siggen = bb.siggen.init(_bitzel.config_data(""))
    siggen.set_setscene_tasks(order["setscene"])
    siggen.setup_datacache(caches)
    answer = []
    for tid, deps in order["tasks"]:
        siggen.prep_taskhash(tid, deps, caches)
        answer.append({
            "hash": siggen.get_taskhash(tid, deps, caches),
            "unihash": siggen.get_unihash(tid),
            "deps": [dep for _, dep in siggen.runtaskdeps.get(tid, ())],
            "files": siggen.file_checksum_values.get(tid, []),
            "taint": siggen.taints.get(tid),
        })
    return json.dumps(answer)


def place(arguments):
    """Where a variable of a recipe was set last, as FILE:LINE; empty if nobody knows.
    Arguments: the variable, then a recipe as in `environment`."""
    import _bitzel

    name, mc, path, layer, variant, *appends = arguments
    d = _bitzel.recipe_data(mc, path, appends, layer, variant)
    if d.getVarFlag(name, "func", False):
        return "%s:%s" % (d.getVarFlag(name, "filename", False), d.getVarFlag(name, "lineno", False))
    events = [event for event in d.varhistory.variable(name) if "flag" not in event and event.get("file")]
    if not events:
        return ""
    return "%s:%s" % (events[-1]["file"], events[-1]["line"])


def sources(arguments):
    """The SRC_URI entries of a recipe as JSON. Arguments: a recipe as in `environment`."""
    import json

    import _bitzel
    import bb.fetch2

    mc, path, layer, variant, *appends = arguments
    d = _bitzel.recipe_data(mc, path, appends, layer, variant)
    bb.fetch2.fetcher_init(d)
    return json.dumps(bb.fetch2.sources(d))


def shell(arguments):
    """What a shell in a task's sandbox needs, as JSON. Argument: the task's order."""
    from bitzel_host import shell as commands
    return commands.described(arguments[0])


def bundle(arguments):
    """A task's sandbox, environment and script, as JSON. Argument: the task's order."""
    from bitzel_host import bundle as commands
    return commands.exported(arguments[0])


def __getattr__(name):
    """Commands of builds: code that other commands do not load."""
    if name in ("begin_build", "depvalid", "fire", "handled", "hashcheck", "number_threads"):
        from bitzel_host import server
        return getattr(server, name)
    raise AttributeError("there is no command %r" % name)
