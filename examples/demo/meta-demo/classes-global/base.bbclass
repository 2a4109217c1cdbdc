# Inherited by every recipe: the tasks from sources to packages.
inherit logging

# Say early, and once, what the host lacks.
addhandler check_host_tools
check_host_tools[eventmask] = "bb.event.ConfigParsed"
python check_host_tools() {
    missing = [tool for tool in d.getVar("HOSTTOOLS").split() if not bb.utils.which(d.getVar("HOST_PATH"), tool)]
    if missing:
        bb.fatal("The demo needs these programs in PATH: %s" % " ".join(missing))
}

addtask fetch
do_fetch[dirs] = "${DL_DIR}"
# The sources lie in the layer: a changed file has to change the task's hash.
do_fetch[file-checksums] = "${@bb.fetch.get_checksum_file_list(d)}"
do_fetch[vardeps] = "SRC_URI"
python do_fetch() {
    bb.fetch2.Fetch(d.getVar("SRC_URI").split(), d).download()
}

addtask unpack after do_fetch
do_unpack[cleandirs] = "${UNPACKDIR}"
python do_unpack() {
    bb.fetch2.Fetch(d.getVar("SRC_URI").split(), d).unpack(d.getVar("UNPACKDIR"))
}

addtask patch after do_unpack
do_patch[dirs] = "${S}"
python do_patch() {
    import subprocess

    def patch(*args):
        return subprocess.run(["patch", "-p1", *args], cwd=d.getVar("S"), stdin=subprocess.DEVNULL).returncode == 0

    fetch = bb.fetch2.Fetch(d.getVar("SRC_URI").split(), d)
    for url in fetch.urls:
        if not url.endswith(".patch"):
            continue
        # A build that was killed may have applied it: what can be taken back is there already.
        if patch("--reverse", "--force", "--dry-run", "-i", fetch.localpath(url)):
            continue
        bb.note("Applying %s" % os.path.basename(url))
        if not patch("-i", fetch.localpath(url)):
            bb.fatal("%s does not fit the sources" % os.path.basename(url))
}

# Every recipe sees exactly what it asks for: the staged files of its DEPENDS.
addtask prepare_sysroot
do_prepare_sysroot[deptask] = "do_populate_sysroot"
do_prepare_sysroot[cleandirs] = "${SYSROOT} ${SYSROOT_NATIVE}"
python do_prepare_sysroot() {
    import shutil
    for name in d.getVar("DEPENDS").split():
        root = d.getVar("SYSROOT_NATIVE" if name.endswith("-native") else "SYSROOT")
        shutil.copytree(os.path.join(d.getVar("STAGING_DIR"), name), root, symlinks=True, dirs_exist_ok=True)
}

addtask configure after do_patch do_prepare_sysroot
do_configure[dirs] = "${B}"
base_do_configure() {
    :
}

addtask compile after do_configure
do_compile[dirs] = "${B}"
base_do_compile() {
    :
}

addtask install after do_compile
do_install[dirs] = "${B}"
do_install[cleandirs] = "${D}"
base_do_install() {
    :
}

# The three steps that differ most from recipe to recipe: exported, so that a class
# inherited later, or the recipe itself, puts its own in their place.
EXPORT_FUNCTIONS do_configure do_compile do_install

# What others may build against.
addtask populate_sysroot after do_install before do_build
do_populate_sysroot[cleandirs] = "${STAGING_DIR}/${PN}"
do_populate_sysroot() {
    cp -a ${D}/. ${STAGING_DIR}/${PN}/
}

# What an image is made of: an archive for each package that has files, and a
# record of what it needs at run time (written by a function that runs after it).
addtask package after do_install before do_build
do_package[dirs] = "${DEPLOY_DIR}/packages ${PKGDATA_DIR}"
do_package[postfuncs] = "write_pkgdata"
# A package is of use when those that it needs at run time are there too.
do_package[rdeptask] = "do_package"
do_package[vardeps] += "${@' '.join('FILES:' + p for p in d.getVar('PACKAGES').split())}"
python do_package() {
    demo.packages.split(d)
}
python write_pkgdata() {
    demo.packages.write_records(d)
}
write_pkgdata[vardeps] += "${@' '.join('RDEPENDS:' + p for p in d.getVar('PACKAGES').split())}"

addtask build
do_build[noexec] = "1"
do_build() {
    :
}

# For curious users: `bitbake -c listtasks hello`
addtask listtasks
do_listtasks[nostamp] = "1"
python do_listtasks() {
    for task in sorted(d.getVar("__BBTASKS", False)):
        bb.plain("%-24s after %s" % (task, " ".join(d.getVarFlag(task, "deps", False)) or "nothing"))
}
