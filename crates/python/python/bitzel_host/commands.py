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
        d = _bitzel.config_data(mc)
    out = io.StringIO()
    d.inchistory.emit(out)
    bb.data.emit_env(out, d, True)
    for name in sorted(d.keys()):
        if d.getVarFlag(name, "func", False) and d.getVarFlag(name, "python", False):
            out.write("\npython %s () {\n%s}\n" % (name, d.getVar(name, False)))
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
