# A root file system: the packages of IMAGE_INSTALL and all that they need.
IMAGE_INSTALL ??= ""
IMAGE_ROOTFS = "${WORKDIR}/rootfs"
IMAGE_NAME = "${PN}-${MACHINE}"
IMAGE_FSTYPES ??= "tar"
PACKAGES = "${PN}"
RDEPENDS:${PN} = "${IMAGE_INSTALL}"

# An image has no sources.
deltask fetch
deltask unpack
deltask patch
deltask prepare_sysroot
deltask configure
deltask compile
deltask install
deltask populate_sysroot
deltask package

# Every do_package that the image reaches through dependencies of any kind.
addtask rootfs before do_build
do_rootfs[recrdeptask] = "do_package"
do_rootfs[cleandirs] = "${IMAGE_ROOTFS}"
do_rootfs[dirs] = "${DEPLOY_DIR}/images"
python do_rootfs() {
    for package in demo.packages.closure(d.getVar("IMAGE_INSTALL").split(), d):
        bb.note("Installing %s" % package)
        demo.packages.install(package, d.getVar("IMAGE_ROOTFS"), d)
}

IMAGE_CMD_tar = "demo.archive.write(out + '.tar', root, demo.archive.names(root))"
IMAGE_CMD_tar.gz = "demo.archive.write(out + '.tar.gz', root, demo.archive.names(root), 'gz')"

# One task for each file system type that is asked for.
python () {
    for fstype in d.getVar("IMAGE_FSTYPES").split():
        command = d.getVar("IMAGE_CMD_" + fstype)
        if not command:
            raise bb.parse.SkipRecipe("IMAGE_FSTYPES has an unknown type: %s" % fstype)
        task = "do_image_" + fstype.replace(".", "_")
        d.setVar(task, "    root, out = d.getVar('IMAGE_ROOTFS'), d.expand('${DEPLOY_DIR}/images/${IMAGE_NAME}')\n"
                       "    %s\n" % command)
        d.setVarFlags(task, {"func": "1", "python": "1", "filename": d.getVar("FILE"), "lineno": "1"})
        d.setVarFlag(task, "dirs", "${DEPLOY_DIR}/images")
        bb.build.addtask(task, "do_build", "do_rootfs", d)
}

# Deferred, so that the distribution, local.conf or a bbappend decide.
IMAGE_CLASSES ??= ""
inherit_defer ${IMAGE_CLASSES}
