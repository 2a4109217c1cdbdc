HELPED = "${@helped(d)}"
def helped(d):
    return "yes"

python do_help() {
    bb.plain("help")
}
addtask help after do_build
