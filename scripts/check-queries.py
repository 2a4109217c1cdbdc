#!/usr/bin/env python3
"""check-queries.py DUMP BITZEL...: asks every query function about a build directory and checks
the answers another way, from a dump of the same metadata that BitBake or `bitzel export` made.

Run it in the build directory. DUMP is the folder of a dump with the task graph of
core-image-minimal; BITZEL is the command that starts bitzel there. Exit status 1 on any
difference. Needs the `zstd` program.
"""

import functools
import json
import re
import subprocess
import sys
from pathlib import Path

IMAGE = "core-image-minimal"


def records(dump, stem):
    for path in sorted(Path(dump).glob(stem + "*.zst")):
        text = subprocess.run(["zstd", "-dc", "--long=27", str(path)], check=True, capture_output=True).stdout
        for line in text.splitlines():
            yield json.loads(line)


class Tasks:
    """The task graph of the dump, walked in the plainest way."""

    def __init__(self, dump):
        graph = next(records(dump, "graph"))
        self.down = {self.label(t): [self.label(d) for d in deps] for t, deps in graph["tdepends"].items()}
        self.file = {pn: recipe["filename"].rpartition(":")[2] for pn, recipe in graph["pn"].items()}
        self.up = {task: [] for task in self.down}
        for task, deps in self.down.items():
            for dep in deps:
                self.up[dep].append(task)

    @staticmethod
    def label(name):
        pn, _, task = name.rpartition(".")
        return pn + ":" + task

    @staticmethod
    def reach(edges, starts, depth=None):
        seen, level = set(starts), list(starts)
        while level and depth != 0:
            level = [n for task in level for n in edges[task] if n not in seen]
            level = list(dict.fromkeys(level))
            seen.update(level)
            depth = None if depth is None else depth - 1
        return seen

    def of(self, pn):
        return [task for task in self.down if task.rpartition(":")[0] == pn]


class Check:
    def __init__(self, command):
        self.command, self.wrong, self.count = command, 0, 0

    def ask(self, kind, query):
        universe = ["--universe", IMAGE] if kind == "aquery" else []
        done = subprocess.run([*self.command, kind, *universe, query], capture_output=True, text=True)
        if done.returncode:
            sys.exit("%s %s: %s" % (kind, query, done.stderr))
        return done.stdout.splitlines()

    def same(self, kind, query, expected):
        self.say(kind, query, set(self.ask(kind, query)), set(expected))

    def say(self, kind, query, got, expected):
        self.count += 1
        equal = got == expected
        self.wrong += not equal
        print("%-9s %s %s: %d" % ("equal" if equal else "DIFFERENT", kind, query, len(got)))
        if not equal:
            print("   missing", sorted(expected - got)[:5], "extra", sorted(got - expected)[:5])


def tasks(check, graph):
    start, below = "busybox:do_package", "m4-native:do_install"
    down, up, reach = graph.down, graph.up, graph.reach
    check.same("aquery", "deps(%s)" % start, reach(down, [start]))
    check.same("aquery", "deps(%s, 2)" % start, reach(down, [start], 2))
    check.same("aquery", "rdeps(%s, %s)" % (start, below), reach(up, [below]) & reach(down, [start]))
    check.same("aquery", "allrdeps(%s)" % below, reach(up, [below]))
    check.same("aquery", "allrdeps(%s, 1)" % below, reach(up, [below], 1))
    on_paths = reach(down, [start]) & reach(up, [below])
    check.same("aquery", "allpaths(%s, %s)" % (start, below), on_paths)
    path = check.ask("aquery", "somepath(%s, %s)" % (start, below))
    steps = 0
    while below not in reach(down, [start], steps):
        steps += 1
    good = path[0] == start and path[-1] == below and all(b in down[a] for a, b in zip(path, path[1:]))
    check.say("aquery", "somepath(%s, %s)" % (start, below), {good, len(path) - 1}, {True, steps})
    check.same("aquery", "kind(task, busybox)", graph.of("busybox"))
    check.same("aquery", "filter('do_comp', %s)" % start, [])
    check.same("aquery", "filter('^zlib:.*fetch', universe)", [t for t in down if re.match("zlib:.*fetch", t)])
    check.same("aquery", "mnemonic('^do_compile$', universe)", [t for t in down if t.endswith(":do_compile")])
    check.same("aquery", "attr(task, '^do_rootfs$', universe)", [t for t in down if t.endswith(":do_rootfs")])
    check.same("aquery", "set(zlib:do_fetch busybox:do_fetch)", ["zlib:do_fetch", "busybox:do_fetch"])
    check.same("aquery", "let x = deps(%s) in $x - deps(%s)" % (start, below),
               reach(down, [start]) - reach(down, [below]))
    check.same("aquery", "deps(zlib:do_compile) ^ deps(busybox:do_compile)",
               reach(down, ["zlib:do_compile"]) & reach(down, ["busybox:do_compile"]))
    check.same("aquery", "deps(zlib:do_fetch) union deps(busybox:do_fetch)",
               reach(down, ["zlib:do_fetch", "busybox:do_fetch"]))
    check.same("aquery", "config(busybox:do_fetch, default)", ["busybox:do_fetch"])
    file_of = lambda task: graph.file[task.rpartition(":")[0]]
    siblings = [task for task in down if file_of(task) == file_of("zlib:do_fetch")]
    check.same("aquery", "siblings(zlib:do_fetch)", siblings)
    some = check.ask("aquery", "some(busybox, 3)")
    check.say("aquery", "some(busybox, 3)", {len(some), set(some) <= set(graph.of("busybox"))}, {3, True})


def buildable(found, providers):
    """The recipes all of whose needs something buildable provides."""
    def needs(info):
        run = [info["rdepends"], info["rrecommends"], *info["rdepends_pkg"].values(), *info["rrecommends_pkg"].values()]
        return [("choice", info["depends"]), ("rchoice", [name for names in run for name in names])]

    good = {record["mcfn"]: record for record in found}
    assumed = set(providers["ignored"])
    patterns = [(re.compile(text), files) for text, files in providers["packages_dynamic"].items()]

    @functools.lru_cache(maxsize=None)
    def offers(table, name):
        if name in providers[table] or table == "choice":
            return providers[table].get(name) or []
        return [file for pattern, files in patterns if pattern.match(name) for file in files]

    before = None
    while before != len(good):
        before = len(good)
        provided = lambda table, name: name in assumed or any(file in good for file in offers(table, name))
        good = {f: r for f, r in good.items()
                if all(provided(table, name) for table, names in needs(r["info"]) for name in names)}
    return list(good.values())


def recipes(check, dump):
    providers = next(records(dump, "providers"))
    # BitBake's record of a recipe that is skipped is shorter.
    found = buildable([r for r in records(dump, "recipes-") if "depends" in r["info"]], providers)
    pns = lambda wanted: {r["info"]["pn"] for r in found if wanted(r)}
    inherits = lambda r, name: any(path.endswith("/" + name) for path in r["info"]["inherits"])
    native = lambda r: inherits(r, "native.bbclass")
    check.same("query", "universe", pns(lambda r: True))
    check.same("query", "kind(image, universe)", pns(lambda r: inherits(r, "image.bbclass")))
    check.same("query", "kind('^native$', universe)", pns(native))
    check.same("query", "kind('^nativesdk$', universe)",
               pns(lambda r: inherits(r, "nativesdk.bbclass") and not native(r)))
    check.same("query", "rbuildfiles(kernel.bbclass)", pns(lambda r: inherits(r, "kernel.bbclass")))
    check.same("query", "attr(PV, '^1[.]2', universe)", pns(lambda r: r["info"]["pv"].startswith("1.2")))
    check.same("query", "attr(PROVIDES, '(^| )virtual/kernel( |$)', universe)",
               pns(lambda r: "virtual/kernel" in r["info"]["provides"]))
    check.same("query", "filter('^lib.*-native$', universe)",
               pns(lambda r: re.match("lib.*-native$", r["info"]["pn"])))
    sources = lambda r: " ".join(r["info"]["file_checksums"].values())
    check.same("query", "owner(busybox/defconfig)", pns(lambda r: "/busybox/defconfig:" in sources(r)))
    busybox = next(r for r in found if r["info"]["pn"] == "busybox")
    files = check.ask("query", "buildfiles(busybox)")
    classes = {path.rpartition("/meta/")[2] for path in busybox["info"]["inherits"]}
    check.say("query", "buildfiles(busybox) holds its classes",
              {path.rpartition("/meta/")[2] for path in files} & classes, classes)
    chosen = lambda name: providers["pkg_fn"].get((providers["choice"].get(name) or [None])[0])
    assumed = set(providers["ignored"])
    named = {chosen(name) for name in busybox["info"]["depends"] if name not in assumed}
    check.same("query", "labels(DEPENDS, busybox)", named - {None})


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    check = Check(sys.argv[2:])
    tasks(check, Tasks(sys.argv[1]))
    recipes(check, sys.argv[1])
    print("%d of %d answers equal" % (check.count - check.wrong, check.count))
    sys.exit(check.wrong > 0)


main()
