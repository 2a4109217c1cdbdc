"""The fixed parts of the shell scripts that run shell functions."""

# Says where a command failed: always its exit code, under bash the line and the calls that led there.
# The comments `# line: N, file: F` before functions let lines of the script be traced to recipes.
SHELL_TRAP = r'''#!/bin/sh
set -e
report_exit() {
    status=$?
    trap - EXIT
    if [ "$status" -ne 0 ]; then
        echo "WARNING: exit code $status from a shell command."
    fi
    exit "$status"
}

if [ -z "$BASH_VERSION" ]; then
    trap report_exit EXIT
else
    failed_line=0

    report_exit_bash() {
        status=$?
        { set +x; } > /dev/null
        trap - DEBUG EXIT
        if [ "$status" -ne 0 ]; then
            echo "WARNING: ${BASH_SOURCE[0]}:$failed_line exit $status from '$1'"
            echo "WARNING: Backtrace (BB generated script): "
            depth=1
            line=$failed_line
            while [ "$depth" -lt "${#FUNCNAME[@]}" ]; do
                printf '\t#%d: %s, %s, line %s\n' "$depth" "${FUNCNAME[depth]}" "${BASH_SOURCE[depth]}" "$line"
                line=${BASH_LINENO[depth]}
                depth=$((depth + 1))
            done
        fi
        exit "$status"
    }

    shopt -s extdebug
    trap 'report_exit_bash "$BASH_COMMAND"' EXIT
    # The trap of EXIT has lines too: its command line 1, where this script has none, and the function's own.
    trap '{ case "${FUNCNAME[0]} $LINENO" in report_exit*|*" 1") ;; *) failed_line=$LINENO;; esac; } 2>/dev/null' DEBUG
fi
'''

# After the function was called.
SHELL_END = r'''
status=$?
trap - EXIT
exit "$status"
'''
