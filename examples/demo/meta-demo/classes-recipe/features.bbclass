# Optional parts of a recipe. FEATURE[name] = "compiler flags,DEPENDS,RDEPENDS";
# FEATURES lists those that are on. A bbappend or local.conf may change it.
FEATURES ??= ""

python () {
    known = d.getVarFlags("FEATURE") or {}
    for name in (d.getVar("FEATURES") or "").split():
        if name not in known:
            bb.fatal("%s: unknown feature `%s` (there are: %s)" % (d.getVar("PN"), name, " ".join(sorted(known))))
        flags, depends, rdepends = (known[name].split(",") + ["", ""])[:3]
        d.appendVar("CFLAGS", " " + flags)
        d.appendVar("DEPENDS", " " + depends)
        d.appendVar("RDEPENDS:" + d.getVar("PN"), " " + rdepends)
}
