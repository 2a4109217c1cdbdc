SUMMARY = "The root file system of the demo: a program, its library, its configuration"

inherit image

# libgreet and hello-config come with it, because it says that it needs them.
IMAGE_INSTALL = "hello"
