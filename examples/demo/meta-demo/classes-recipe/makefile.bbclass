# Sources with a Makefile that knows `all` and `install`. Recipes may define
# do_compile and do_install themselves and still call makefile_do_compile.
MAKE_ARGS = "CC='${CC}' AR='${AR}' CFLAGS='${CFLAGS}' LDFLAGS='${LDFLAGS}' prefix='${prefix}' sysconfdir='${sysconfdir}'"

makefile_do_compile() {
    # Everything anew: a compiler that was killed may have left half a program, which make takes for a whole one.
    make --always-make ${MAKE_ARGS}
}

makefile_do_install() {
    make ${MAKE_ARGS} DESTDIR=${D} install
}

EXPORT_FUNCTIONS do_compile do_install
