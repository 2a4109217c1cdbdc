SUMMARY = "The configuration of hello, for one machine"

SRC_URI = "file://hello.conf.in"
S = "${UNPACKDIR}"

GREETING_LANGUAGE ?= "en"
GREETING_NAME = "world"
GREETING_NAME:pocket = "pocket world"

# Nothing to compile, and no reason to wait for a sysroot.
deltask compile
deltask prepare_sysroot
addtask install after do_configure

do_install() {
    install -d ${D}${sysconfdir}
    sed -e "s/@LANGUAGE@/${GREETING_LANGUAGE}/" -e "s/@NAME@/${GREETING_NAME}/" hello.conf.in > ${D}${sysconfdir}/hello.conf
}
