# shellcheck shell=bash
# Servers that outlive the script that started them, known by a pid file each: NAME.pid, where the program's own name
# begins NAME. Needs say.sh.

# Whether the process lives. One that is dead but not yet reaped does not: an init that reaps nothing is common in
# containers.
alive() {
    local stat
    stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
    [[ ${stat##*) } != [ZX]* ]]
}

# The live process of a pid file, or nothing. A number that the system has meanwhile given to another program is not it.
process_of() {
    local file=$1 pid='' name
    [[ -f $file ]] || return 1
    read -r pid <"$file" || true
    [[ $pid =~ ^[0-9]+$ ]] && alive "$pid" || return 1
    name=$(cat "/proc/$pid/comm" 2>/dev/null) || return 1
    [[ $(basename "$file") == "$name"* ]] || return 1
    printf '%s\n' "$pid"
}

# Waits until a command succeeds, at most so many tenths of a second.
wait_until() {
    local tenths=$1
    shift
    until "$@"; do
        ((tenths-- > 0)) || return 1
        sleep 0.1
    done
}

gone() { ! alive "$1"; }

# Sends a signal to the process of a pid file, waits for so many tenths of a second, and kills it if it is still there.
stop_process() {
    local file=$1 signal=$2 tenths=$3 pid
    if pid=$(process_of "$file"); then
        kill "-$signal" "$pid" 2>/dev/null || true
        if ! wait_until "$tenths" gone "$pid"; then
            kill -KILL "$pid" 2>/dev/null || true
            wait_until 50 gone "$pid" || fail "process $pid of $file does not die" "see: cat /proc/$pid/stack"
        fi
    fi
    rm -f "$file"
}

# Starts a server in a session of its own, so that Ctrl-C in a terminal reaches only what decides about stopping it.
# Its output goes to NAME.log, its process id to NAME.pid.
launch() {
    local folder=$1 name=$2
    shift 2
    setsid "$@" >>"$folder/$name.log" 2>&1 </dev/null &
    local pid=$!
    disown
    printf '%s\n' "$pid" >"$folder/$name.pid"
    # Until it has become the program it bears another name, and would be taken for a stranger with the same number.
    wait_until 100 begun "$folder/$name.pid" "$pid" || fail "$name does not begin to run" "see $folder/$name.log"
}

begun() { process_of "$1" >/dev/null || gone "$2"; }
