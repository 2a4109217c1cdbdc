# A tool for the building machine. By `BBCLASSEXTEND = "native"` a recipe gets a
# second variant, NAME-native, whose programs others may run while they build.
CLASSOVERRIDE = "class-native"
BPN = "${@d.getVar('PN')[:-len('-native')]}"

# Nothing of it goes into an image.
PACKAGES = ""
deltask package
