# Lists the files of an image beside it.
addtask manifest after do_rootfs before do_build
do_manifest[dirs] = "${DEPLOY_DIR}/images"
python do_manifest() {
    with open(d.expand("${DEPLOY_DIR}/images/${IMAGE_NAME}.manifest"), "w") as f:
        for name in demo.archive.names(d.getVar("IMAGE_ROOTFS")):
            f.write("/%s\n" % name)
}
