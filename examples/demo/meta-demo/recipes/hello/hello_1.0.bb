SUMMARY = "Greets, in the language of its configuration"

DEPENDS = "libgreet"
RDEPENDS:${PN} = "libgreet hello-config"

SRC_URI = "file://hello"

inherit makefile features

FEATURE[colour] = "-DCOLOUR"
FEATURE[bell] = "-DBELL"
# What the distribution wants and the recipe has, and more on a machine with sound.
FEATURES = "${@bb.utils.filter('DISTRO_FEATURES', 'colour', d)}"
FEATURES:append:tower = " bell"
