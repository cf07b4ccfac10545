# shellcheck shell=bash
# What every script says, it says on standard error: standard output is for results.

say() { printf '%s\n' "${0##*/}: $*" >&2; }

# What went wrong, where, and (further arguments, a line each) what to do about it.
fail() {
    say "$1"
    shift
    local line
    for line in "$@"; do
        printf '    %s\n' "$line" >&2
    done
    exit 1
}

# Prints the comment at the head of the script: it is the manual.
usage() {
    sed -n '2,/^[^#]/{/^#/s/^# \{0,1\}//p}' "$0" >&2
    exit 64
}
