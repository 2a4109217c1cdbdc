# What the scripts beside it share; they set `bitzel`, the program, first. The current folder has to be a
# build directory and the real bitbake in PATH.
here=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
[ -f conf/bblayers.conf ] || { echo "$PWD is no build directory" >&2; exit 1; }
command -v bitbake >/dev/null || { echo "no bitbake in PATH" >&2; exit 1; }
export BB_SERVER_TIMEOUT=0
scratch=$(mktemp -d)

# value VARIABLE: of the configuration.
value() { "$bitzel" getvar --value "$1"; }

# measured TOOL ARGUMENTS...: runs `bitbake`, or bitzel as it; one line "cpu wall peak".
measured() {
  local tool=$1; shift
  if [ "$tool" = bitzel ]; then set -- "$bitzel" bitbake "$@"; else set -- bitbake "$@"; fi
  python3 "$here/measure.py" "$@" 2>"$scratch/log" || { cat "$scratch/log" >&2; return 1; }
}

# median FILE COLUMN: of lines that `measured` printed.
median() { cut -d' ' -f"$2" "$1" | sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
