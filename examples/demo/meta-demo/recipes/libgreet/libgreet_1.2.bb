SUMMARY = "Knows how to greet in several languages"

# greetgen runs while this is built; see Makefile.
DEPENDS = "greetgen-native"

SRC_URI = "file://libgreet \
           file://0001-end-the-greeting-with-an-exclamation-mark.patch"

inherit makefile

# Languages besides those of the sources: files NAME.greetings, one "LANGUAGE GREETING" a line.
EXTRA_GREETINGS ?= ""

do_configure() {
    for file in ${EXTRA_GREETINGS}; do
        bbnote "Adding the greetings of $file"
        # Each line once: a build that was killed may have added them already.
        cat ${S}/greetings.txt ${UNPACKDIR}/$file | awk '!seen[$0]++' > ${S}/greetings.new
        mv ${S}/greetings.new ${S}/greetings.txt
    done
}
