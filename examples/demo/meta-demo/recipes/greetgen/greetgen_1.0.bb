SUMMARY = "Turns a list of greetings into a C table"

SRC_URI = "file://greetgen"

inherit makefile

# Others run it while they build, so there is a variant for the building machine.
BBCLASSEXTEND = "native"
