# Any version of libgreet also speaks German. THISDIR is the folder of the file that
# is being read, so it has to be expanded here and now.
FILESEXTRAPATHS := "${THISDIR}/files:${FILESEXTRAPATHS}"
SRC_URI += "file://german.greetings"
EXTRA_GREETINGS:append = " german.greetings"
