inherit late
WORDS = "helper"
inherit_defer helper ${WORDS}
SUMMARY = "a ${PN}"
pkg_post:${PN} () {
	echo hi
}
do_build:append() {
	echo more
}
