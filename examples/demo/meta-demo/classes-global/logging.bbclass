# Messages of shell tasks: written to a pipe that the build reads.
demo_message() {
    if [ -p ${LOGFIFO} ]; then
        printf '%b\0' "$*" > ${LOGFIFO}
    else
        echo "$*"
    fi
}
bbplain() {
    demo_message "bbplain $*"
}
bbnote() {
    demo_message "bbnote $*"
}
bbwarn() {
    demo_message "bbwarn $*"
}
bbfatal() {
    demo_message "bbfatal $*"
    exit 1
}
